//! A server whose records of exchanges are collected, by TLS in every version of HTTP.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use reactor::Config;
use reactor::config::{MakeObserver, Observer};
use reactor::record::Record;
use wire::Version;

use super::fake_collector::PATIENCE;
use super::secure::Secure;

pub const VERSIONS: [Version; 3] = [Version::Http11, Version::Http2, Version::Http3];

/// Records, one for each exchange that is over.
pub struct Records(Receiver<Record>);

impl Records {
    /// Has the server of this configuration tell its records.
    pub fn of(config: &mut Config) -> Self {
        let (sender, records) = channel();
        let sender = Arc::new(Mutex::new(sender));
        config.observers.push(MakeObserver(Arc::new(move |_, _| {
            Box::new(Told(sender.lock().unwrap().clone()))
        })));
        Self(records)
    }

    /// Waits for the next.
    pub fn next(&self) -> Record {
        self.0.recv_timeout(PATIENCE).expect("a record")
    }

    /// Whether there is none at the moment.
    pub fn is_empty(&self) -> bool {
        self.0.try_recv().is_err()
    }
}

#[derive(Debug)]
struct Told(Sender<Record>);

impl Observer for Told {
    fn over(&mut self, record: &Record) {
        let _ = self.0.send(record.clone());
    }
}

/// A server, a worker and a client, and the records.
pub struct Recorded {
    pub wire: Secure,
    pub records: Records,
}

impl Recorded {
    pub fn start(version: Version, configure: impl FnOnce(&mut Config)) -> Self {
        let mut records = None;
        let wire = Secure::configured(version, |config| {
            records = Some(Records::of(config));
            configure(config);
        });
        Self { wire, records: records.expect("it was configured") }
    }
}
