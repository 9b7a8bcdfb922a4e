//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

/// What is asked for.
pub struct Options {
    pub address: SocketAddr,
    pub path: String,
    pub ca: Option<String>,
    pub connections: usize,
    pub streams: usize,
    pub amount: Amount,
    pub body: Vec<u8>,
    pub answer_bytes: Option<u64>,
    pub output: Option<String>,
    pub idle: bool,
}

/// How much load is made.
#[derive(Clone, Copy)]
pub enum Amount {
    /// Requests begin for so long.
    Time(Duration),
    /// So many requests, over all connections.
    Requests(u64),
}

impl Options {
    /// Reads the arguments; an error says what is wrong with them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut found = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            path: String::new(),
            ca: None,
            connections: 1,
            streams: 1,
            amount: Amount::Requests(1),
            body: Vec::new(),
            answer_bytes: None,
            output: None,
            idle: false,
        };
        while let Some(argument) = arguments.next() {
            if let Some(url) = argument.strip_prefix("https://") {
                let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
                found.address = authority.parse().map_err(|_| "the URL has no IP:PORT")?;
                found.path = if path.is_empty() { "/" } else { path }.to_owned();
                continue;
            }
            if argument == "--idle" {
                found.idle = true;
                continue;
            }
            let value = arguments.next().ok_or(format!("{argument} has no value"))?;
            found.set(&argument, value)?;
        }
        if found.path.is_empty() {
            return Err("there is no https:// URL".to_owned());
        }
        if found.idle {
            found.amount = Amount::Requests(found.connections as u64);
            found.streams = 1;
        }
        Ok(found)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("{name}: {value} is no number"));
        match name {
            "--ca" => self.ca = Some(value),
            "--connections" => self.connections = number()?.max(1) as usize,
            "--streams" => self.streams = number()?.max(1) as usize,
            "--seconds" => self.amount = Amount::Time(Duration::from_secs(number()?)),
            "--requests" => self.amount = Amount::Requests(number()?),
            "--body" => self.body = std::fs::read(&value).map_err(|e| format!("{value}: {e}"))?,
            "--answer-bytes" => self.answer_bytes = Some(number()?),
            "--output" => self.output = Some(value),
            _ => return Err(format!("there is no option {name}")),
        }
        Ok(())
    }
}
