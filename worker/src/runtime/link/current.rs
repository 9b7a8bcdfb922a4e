//! [`CurrentExchange`]: the exchange that a worker has in work, and its [`ExchangeStatus`].

use wire::{ExchangeId, Part, Reason, RequestHead};

use crate::runtime::body::IncomingContent;

/// The exchange in work.
#[derive(Debug)]
pub(super) struct CurrentExchange {
    pub(super) exchange: ExchangeId,
    /// Content bytes that may still be sent.
    pub(super) window: u32,
    /// Why nobody waits for the rest.
    pub(super) gone: Option<Reason>,
    /// Whether the client has most likely left; what it still takes is sent.
    pub(super) leaving: bool,
    /// The content of the request, when the handler works while it arrives.
    pub(super) incoming: Option<IncomingContent>,
}

impl CurrentExchange {
    /// One that begins; `streamed` says that the content of its request is still to come.
    pub(super) fn new(exchange: ExchangeId, window: u32, streamed: bool) -> Self {
        let incoming = streamed.then(IncomingContent::default);
        Self { exchange, window, gone: None, leaving: false, incoming }
    }

    /// What follows of the request. Says whether it was of interest.
    pub(super) fn take(&mut self, part: &Part<Box<RequestHead>>) -> bool {
        match (part, &mut self.incoming) {
            (Part::Abort(reason), _) => self.aborted(*reason),
            (Part::Body(bytes), Some(incoming)) => incoming.push(bytes.clone()),
            (Part::End(trailers), Some(incoming)) => incoming.finish(trailers.clone()),
            _ => return false,
        }
        true
    }

    /// What the client has done behind its request.
    fn aborted(&mut self, reason: Reason) {
        match reason {
            Reason::ClientLeaving => self.leaving = true,
            reason => self.gone = Some(reason),
        }
    }
}

/// How the exchange in work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExchangeStatus {
    /// The client waits for it; so many content bytes may be sent.
    Open(u32),
    /// The client does not wait any more.
    Gone(Reason),
    /// It has been ended, or was never begun.
    Over,
}
