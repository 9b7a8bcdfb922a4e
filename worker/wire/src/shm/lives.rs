//! `LifeRecord`: what the supervisor says of each worker process, for those who cannot ask it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a life.
pub(super) const LIFE_WORDS: usize = 4;

/// How a worker process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeState {
    /// Its `WorkerStart` callback runs.
    Starting = 1,
    /// It serves, or would if it had something to do.
    Ready,
    /// It finishes what it has.
    Stopping,
    /// It was killed and is about to be gone.
    Killed,
}

/// How the server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// Not all processes are up for the first time.
    Starting,
    /// All processes were up.
    Ready,
    /// It is about to end.
    Stopping,
}

impl ServerState {
    /// The state of this number; a number that is none is that of a server that starts.
    pub fn of(number: u64) -> Self {
        match number {
            1 => Self::Ready,
            2 => Self::Stopping,
            _ => Self::Starting,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
        }
    }
}

/// A worker process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Which life it is.
    pub incarnation: u64,
    /// Its process id.
    pub pid: u32,
    /// How it stands.
    pub state: LifeState,
    /// When it was forked, in milliseconds since 1970-01-01 UTC.
    pub since_ms: u64,
}

/// Where a life is described. Only the supervisor writes there; who reads while it does may see a
/// part of two lives, which the next look corrects.
#[derive(Debug, Clone, Copy)]
pub struct LifeRecord(&'static [AtomicU64]);

impl LifeRecord {
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self(words)
    }

    /// Describes a life, or that there is none.
    pub fn set(self, life: Option<Life>) {
        let words = life.map_or([0; LIFE_WORDS], |life| {
            [life.incarnation, u64::from(life.pid), life.state as u64, life.since_ms]
        });
        for (word, value) in self.0.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// The life, if there is one.
    pub fn get(self) -> Option<Life> {
        let [incarnation, pid, state, since_ms] = [0, 1, 2, 3].map(|at: usize| self.read(at));
        let state = match state {
            1 => LifeState::Starting,
            2 => LifeState::Ready,
            3 => LifeState::Stopping,
            4 => LifeState::Killed,
            _ => return None,
        };
        Some(Life { incarnation, pid: u32::try_from(pid).ok()?, state, since_ms })
    }

    fn read(self, at: usize) -> u64 {
        self.0.get(at).map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_read_as_it_was_written() {
        let words: Vec<AtomicU64> = (0..LIFE_WORDS).map(|_| AtomicU64::new(0)).collect();
        let record = LifeRecord::new(words.leak());
        assert_eq!(record.get(), None);
        let life = Life { incarnation: 7, pid: 4321, state: LifeState::Stopping, since_ms: 99 };
        record.set(Some(life));
        assert_eq!(record.get(), Some(life));
        record.set(None);
        assert_eq!(record.get(), None);
    }
}
