//! The loop that drives all clients, and what came of it.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::client::{self, AnswerTally, Common, H3Client, Workload};
use crate::options::{Amount, Options};
use crate::udp::UdpEndpoint;

/// Handshakes under way at a time: what a server may hold back as a flood is not wanted here.
const OPENING_MAX: usize = 32;
/// Without any progress for so long, the rest is given up.
const PATIENCE: Duration = Duration::from_secs(20);
const STDIN: Token = Token(usize::MAX);

/// What came of a run.
pub struct RunResult {
    pub tally: AnswerTally,
    /// From the moment that all connections were established to the last answer.
    pub took: Duration,
    /// Connections that were not established.
    pub unconnected: usize,
    /// Requests on connections that ended too early; idle connections that did.
    pub cut_off: usize,
    /// Requests that were given up.
    pub unanswered: usize,
    pub packets_in: usize,
    pub packets_out: usize,
    /// Packets that had to be sent again.
    pub lost: usize,
}

/// Runs what the options ask for.
pub fn drive(options: &Options) -> Result<RunResult, String> {
    let poll = Poll::new().map_err(|error| error.to_string())?;
    let mut driver = Driver {
        options,
        poll,
        config: client::config(options.ca.as_deref()).map_err(|error| format!("TLS: {error}"))?,
        common: Common::new(Workload::new(options)),
        clients: Vec::new(),
        deadlines: Vec::new(),
        opening: Vec::new(),
        began: None,
        last: Instant::now(),
        settled: false,
        stdin_ended: false,
    };
    if options.idle {
        driver.watch_stdin();
        // Each connection asks as soon as it is there: all at once were more than a queue may hold.
        driver.start();
    }
    driver.run()
}

struct Driver<'a> {
    options: &'a Options,
    poll: Poll,
    config: quiche::Config,
    common: Common,
    clients: Vec<H3Client>,
    /// When each client's timer is due.
    deadlines: Vec<Option<Instant>>,
    /// Clients whose handshake is under way.
    opening: Vec<usize>,
    /// When all connections were established.
    began: Option<Instant>,
    /// When there was the last progress.
    last: Instant,
    /// Whether all connections of an idle run have had their answers.
    settled: bool,
    stdin_ended: bool,
}

impl Driver<'_> {
    fn run(&mut self) -> Result<RunResult, String> {
        let mut events = Events::with_capacity(1024);
        let mut ready = Vec::new();
        let mut ended = false;
        while !ended {
            self.open(&mut ready)?;
            if ready.is_empty() {
                self.wait(&mut events, &mut ready)?;
            }
            let before = (self.common.tally.bytes, self.opening.len());
            for index in ready.drain(..) {
                self.turn(index)?;
            }
            let clients = &self.clients;
            self.opening.retain(|&index| !clients[index].is_ready() && !clients[index].is_over());
            if before != (self.common.tally.bytes, self.opening.len()) {
                self.last = Instant::now();
            }
            ended = self.next_step(&mut ready);
        }
        Ok(self.finish())
    }

    /// Begins connections, as many at a time as there may be.
    fn open(&mut self, ready: &mut Vec<usize>) -> Result<(), String> {
        while self.clients.len() < self.options.connections && self.opening.len() < OPENING_MAX {
            let index = self.clients.len();
            let endpoint = UdpEndpoint::new(self.options.address)
                .map_err(|error| format!("socket: {error}"))?;
            let mut client = H3Client::new(endpoint, index, &mut self.config)?;
            self.poll
                .registry()
                .register(&mut client.endpoint.socket, Token(index), Interest::READABLE)
                .map_err(|error| error.to_string())?;
            self.clients.push(client);
            self.deadlines.push(None);
            self.opening.push(index);
            ready.push(index);
        }
        Ok(())
    }

    fn turn(&mut self, index: usize) -> Result<(), String> {
        self.clients[index].turn(&mut self.common)?;
        self.deadlines[index] = self.clients[index].quic.timeout_instant();
        Ok(())
    }

    /// Waits for packets, timers, and the end of standard input.
    fn wait(&mut self, events: &mut Events, ready: &mut Vec<usize>) -> Result<(), String> {
        let now = Instant::now();
        let next = self.deadlines.iter().flatten().min().copied();
        let next = next.into_iter().chain(self.end()).min().unwrap_or(now + PATIENCE);
        let timeout = next.saturating_duration_since(now).min(PATIENCE);
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(error.to_string());
            }
            _ => {}
        }
        for event in events.iter() {
            match event.token() {
                STDIN => self.stdin_ended = true,
                Token(index) => ready.push(index),
            }
        }
        let now = Instant::now();
        for (index, deadline) in self.deadlines.iter_mut().enumerate() {
            if deadline.is_some_and(|due| due <= now) {
                self.clients[index].quic.on_timeout();
                ready.push(index);
            }
        }
        Ok(())
    }

    /// When requests stop to begin.
    fn end(&self) -> Option<Instant> {
        match self.options.amount {
            Amount::Time(time) if self.common.left > 0 => self.began.map(|began| began + time),
            _ => None,
        }
    }

    fn start(&mut self) {
        self.began = Some(Instant::now());
        self.common.left = match self.options.amount {
            Amount::Time(_) => u64::MAX,
            Amount::Requests(count) => count,
        };
    }

    /// Starts or ends the load; whether all is over.
    fn next_step(&mut self, ready: &mut Vec<usize>) -> bool {
        let opened = self.clients.len() == self.options.connections && self.opening.is_empty();
        if self.began.is_none() && opened {
            self.start();
            ready.extend(0..self.clients.len());
            return false;
        }
        if self.end().is_some_and(|end| end <= Instant::now()) {
            self.common.left = 0;
        }
        let alive = self.clients.iter().any(|client| !client.is_over());
        let busy = self.clients.iter().any(|client| client.in_flight() > 0 && !client.is_over());
        let done = opened && !busy && (self.common.left == 0 || !alive);
        if self.options.idle && done && !self.settled {
            self.settled = true;
            println!("READY {}", self.clients.iter().filter(|client| client.is_ready()).count());
        }
        if self.options.idle && self.settled {
            return self.stdin_ended;
        }
        done || self.last.elapsed() >= PATIENCE
    }

    /// The end of standard input ends an idle run. What cannot be waited for has ended.
    fn watch_stdin(&mut self) {
        let fd = std::io::stdin().as_raw_fd();
        let watched = self.poll.registry().register(&mut SourceFd(&fd), STDIN, Interest::READABLE);
        self.stdin_ended = watched.is_err();
    }

    fn finish(&mut self) -> RunResult {
        let took = self.began.map_or(Duration::ZERO, |began| self.last.duration_since(began));
        let mut run = RunResult {
            tally: AnswerTally::default(),
            took,
            unconnected: 0,
            cut_off: 0,
            unanswered: 0,
            packets_in: 0,
            packets_out: 0,
            lost: 0,
        };
        for client in &mut self.clients {
            let stats = client.quic.stats();
            run.packets_in += stats.recv;
            run.packets_out += stats.sent;
            run.lost += stats.lost;
            if !client.quic.is_established() {
                run.unconnected += 1;
            } else if client.is_over() {
                run.cut_off += client.in_flight().max(usize::from(self.options.idle));
            } else {
                run.unanswered += client.in_flight();
            }
            // The run is over; what cannot be said any more needs not be.
            let _ = client.close(&mut self.common);
        }
        run.tally = std::mem::take(&mut self.common.tally);
        run
    }
}
