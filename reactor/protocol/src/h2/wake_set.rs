//! [`WakeSet`]: which streams `h2` wants to be polled again; there is no runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Collects the wakes of one connection and its streams.
#[derive(Debug, Default)]
pub struct WakeSet(Arc<Woken>);

#[derive(Debug, Default)]
struct Woken {
    connection: AtomicBool,
    streams: Mutex<Vec<u32>>,
}

impl WakeSet {
    /// The waker of the connection.
    pub fn connection(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// The waker of a stream.
    pub fn stream(&self, id: u32) -> Waker {
        Waker::from(Arc::new(StreamWake { id, shared: Arc::clone(&self.0) }))
    }

    /// Something else than `h2` has something for the connection.
    pub fn touch(&self) {
        self.0.connection.store(true, Ordering::Relaxed);
    }

    /// Whether the connection was woken since the last look.
    pub fn take_connection(&self) -> bool {
        self.0.connection.swap(false, Ordering::Relaxed)
    }

    /// Appends the streams that were woken since the last look.
    pub fn take_streams(&self, to: &mut Vec<u32>) {
        to.append(&mut self.0.streams.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.connection.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.connection.store(true, Ordering::Relaxed);
    }
}

struct StreamWake {
    id: u32,
    shared: Arc<Woken>,
}

impl Wake for StreamWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut streams = self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.last() != Some(&self.id) {
            streams.push(self.id);
        }
    }
}
