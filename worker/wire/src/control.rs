//! What the supervisor and its children say to each other.
//!
//! Each child has one `SOCK_SEQPACKET` socket to the supervisor: a message is a packet, and the
//! descriptors that belong to it come with it.

use bincode::{BorrowDecode, Encode};

use crate::error::CodecError;
use crate::limits::CONTROL_BYTES_MAX;

/// Names one life of a worker process: never used twice while the supervisor lives.
pub type Incarnation = u64;

/// From the supervisor to the reactor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub enum ToReactorControl {
    /// A worker is ready. One link end per reactor thread comes with it, in the threads' order.
    Link {
        /// The worker's id, 0 to `worker_num` - 1. A former incarnation of it may still be linked.
        worker: u16,
        /// This life of it.
        incarnation: Incarnation,
    },
    /// Give this incarnation no further request; close its links when it has none left.
    Retire {
        /// The incarnation to retire.
        incarnation: Incarnation,
    },
    /// This incarnation has ended and was reaped. Its links may seem open all the same: a process
    /// that it has forked may hold its ends.
    Ended {
        /// The incarnation that has ended.
        incarnation: Incarnation,
    },
    /// Accept no more, finish what is in flight, then end.
    Drain {
        /// After so many milliseconds what is left is cut off.
        within_ms: u64,
    },
    /// Read the certificates again.
    ReloadTls,
    /// Write the log to the file that comes with this.
    Log,
    /// Write the access log to the file that comes with this.
    AccessLog,
}

/// From the reactor to the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub enum FromReactor {
    /// The threads run and the listeners are polled.
    Ready,
    /// The links of this incarnation are closed, and nothing was lost.
    Retired {
        /// The retired incarnation.
        incarnation: Incarnation,
    },
    /// The links of this incarnation ended from the other side.
    Lost {
        /// The lost incarnation.
        incarnation: Incarnation,
        /// The request in work, which was answered with 502.
        request: Option<LostRequest>,
    },
    /// Replace all workers, as an administrator has asked by the admin listener.
    Reload,
    /// Stop the server, as an administrator has asked; said twice it is no more urgent.
    Shutdown,
}

/// A request that was in work when its worker ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub struct LostRequest {
    /// `METHOD path`, or the name of a callback; cut to 200 bytes.
    pub summary: String,
    /// Its id, where requests have ids.
    pub id: Option<String>,
}

impl<T: Into<String>> From<T> for LostRequest {
    fn from(summary: T) -> Self {
        Self { summary: summary.into(), id: None }
    }
}

/// From the supervisor to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub enum ToWorkerControl {
    /// Serve these links; one per reactor thread comes with it. Replaces former ones.
    Links,
    /// End when no link is left.
    Stop,
    /// Write the log to the file that comes with this.
    Log,
}

/// From a worker to the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub enum FromWorker {
    /// The `WorkerStart` callback returned.
    Ready,
    /// It has served as many requests as it should: replace it.
    Recycle,
    /// It ends now and by its own decision, because its interpreter is no longer sound. Its end is
    /// not a failure, whatever its exit code.
    Leaving,
    /// As [`Leaving`](Self::Leaving), because a request took longer than it may.
    TimedOut,
    /// Replace all workers. A worker that has changed its user may not signal the supervisor.
    Reload,
    /// Stop the server; said twice it is no more urgent.
    Shutdown,
    /// Have the certificates read again.
    ReloadTls,
}

/// A control message as a packet.
pub fn encode<M: Encode>(message: &M) -> Vec<u8> {
    // Encoding to memory cannot fail, and no Encode of ours does.
    bincode::encode_to_vec(message, bincode::config::standard()).unwrap_or_default()
}

/// A packet as a control message.
pub fn decode<'a, M: BorrowDecode<'a, ()>>(packet: &'a [u8]) -> Result<M, CodecError> {
    let config = bincode::config::standard().with_limit::<CONTROL_BYTES_MAX>();
    bincode::borrow_decode_from_slice(packet, config)
        .map(|(message, _)| message)
        .map_err(|_| CodecError::Payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive() {
        let lost = FromReactor::Lost { incarnation: 3, request: Some("GET /".into()) };
        assert_eq!(decode::<FromReactor>(&encode(&lost)), Ok(lost));
        assert!(decode::<FromReactor>(&[0xff]).is_err());
    }
}
