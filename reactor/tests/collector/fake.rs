//! A collector of OpenTelemetry that answers as it is told.

#![allow(dead_code)] // Each suite uses a part of it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender as Giver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use boring::ssl::SslAcceptor;
use otlp::Settings;

/// Longer than anything takes, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A request as a collector sees it.
pub struct Seen {
    pub path: String,
    pub fields: Vec<String>,
    pub body: Vec<u8>,
    pub at: Instant,
}

/// What it answers, in turn; then 200 for ever.
#[derive(Clone)]
pub enum Answer {
    Status(&'static str),
    Body(Vec<u8>),
    /// None, and the connection stays open.
    Never,
}

pub struct Collector {
    pub url: String,
    seen: Receiver<Seen>,
}

impl Collector {
    pub fn start(answers: Vec<Answer>) -> Self {
        Self::over("http", answers, |stream| Some(Box::new(stream)))
    }

    /// By TLS, with a certificate for localhost.
    pub fn by_tls(acceptor: SslAcceptor) -> Self {
        Self::over("https", Vec::new(), move |stream| Some(Box::new(acceptor.accept(stream).ok()?)))
    }

    fn over(
        scheme: &str,
        answers: Vec<Answer>,
        accept: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (giver, seen) = channel();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let accept = Arc::new(accept);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (giver, answers) = (giver.clone(), Arc::clone(&answers));
                let accept = Arc::clone(&accept);
                thread::spawn(move || {
                    if let Some(stream) = accept(stream.unwrap()) {
                        serve(stream, &giver, &answers);
                    }
                });
            }
        });
        Self { url, seen }
    }

    pub fn next(&self) -> Seen {
        self.seen.recv_timeout(PATIENCE).expect("a request")
    }

    pub fn settings(&self) -> Settings {
        Settings {
            traces: Some(format!("{}/v1/traces", self.url)),
            delay: Duration::from_millis(10),
            ..Settings::default()
        }
    }
}

/// What a connection is read from and written to.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(stream: Box<dyn Stream>, giver: &Giver<Seen>, answers: &Mutex<VecDeque<Answer>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut fields = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => fields.push(line.to_owned()),
            }
        }
        let len = fields.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
        });
        let mut body = vec![0; len.expect("a length")];
        reader.read_exact(&mut body).unwrap();
        let path = fields.remove(0);
        let answer = answers.lock().unwrap().pop_front().unwrap_or(Answer::Status("200 OK"));
        let _ = giver.send(Seen { path, fields, body, at: Instant::now() });
        let (status, body) = match answer {
            Answer::Status(status) => (status, Vec::new()),
            Answer::Body(body) => ("200 OK", body),
            Answer::Never => return thread::sleep(2 * PATIENCE),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        if reader.get_mut().write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}
