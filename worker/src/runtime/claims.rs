//! Exchanges that a handler has detached, and those that a callback has claimed, by the links of this worker.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;

use nix::libc;
use wire::limits::CLAIMS_MAX;
use wire::{ClaimSecret, ClaimToken, Claimed, Reason};

use crate::membership::is_forked_copy;
use crate::runtime::link::{ExchangeStatus, Link};
use crate::runtime::links;
use crate::runtime::reply::{Reply, ReplyError};

thread_local! {
    /// Whether the callback in work has claimed any.
    static ANY: Cell<bool> = const { Cell::new(false) };
}

/// Why a detached exchange cannot be claimed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimError {
    /// This process is no worker that serves.
    NoWorker,
    /// This callback has claimed as many as it may answer at a time.
    TooMany,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorker => f.write_str("this process is no worker of a running server"),
            Self::TooMany => write!(f, "{CLAIMS_MAX} are open in this callback: end some of them"),
        }
    }
}

impl std::error::Error for ClaimError {}

/// Claims a detached exchange: with the reply to it, it is this callback's, at whose end it has to be over.
/// `None`: it has been claimed before, has waited too long, or its client has left; or there never was one of
/// that name.
pub fn claim(token: &ClaimToken) -> Result<Option<(Reply, Box<Claimed>)>, ClaimError> {
    if is_forked_copy() || !links::exist() {
        return Err(ClaimError::NoWorker);
    }
    let Some(link) = links::of_thread(token.thread.into()) else { return Ok(None) };
    let claimed = {
        let mut link = link.borrow_mut();
        if link.claims() >= CLAIMS_MAX {
            return Err(ClaimError::TooMany);
        }
        link.claim(token)
    };
    ANY.set(ANY.get() || claimed.is_some());
    Ok(claimed.map(|(exchange, claimed)| (Reply::new(link, exchange), claimed)))
}

/// A callback is over: what it has claimed and has not ended is broken off. How many clients waited for
/// their responses.
pub fn end_claims() -> usize {
    if !ANY.replace(false) {
        return 0;
    }
    links::all().iter().map(|link| end_claims_of(link)).sum()
}

fn end_claims_of(link: &RefCell<Link>) -> usize {
    let mut link = link.borrow_mut();
    let mut waited = 0;
    while let Some(exchange) = link.last_claim() {
        let reason = match link.status(exchange) {
            ExchangeStatus::Open(_) => {
                waited += 1;
                Reason::HandlerFailed
            }
            ExchangeStatus::Gone(reason) => reason,
            // In a copy that a callback has forked.
            ExchangeStatus::Over => return 0,
        };
        link.abort(exchange, reason);
    }
    waited
}

impl Reply {
    /// Names the exchange for when it is detached.
    pub fn token(&self) -> io::Result<ClaimToken> {
        let mut secret = [0; ClaimSecret::BYTES];
        // SAFETY: the kernel writes so many bytes there at most.
        let got = unsafe { libc::getrandom(secret.as_mut_ptr().cast(), secret.len(), 0) };
        if got != secret.len() as isize {
            return Err(io::Error::last_os_error());
        }
        let (pool, thread) = links::place_of(self.link());
        let secret = ClaimSecret::new(secret);
        Ok(ClaimToken { pool, thread, exchange: self.exchange(), secret })
    }

    /// Leaves the exchange to whoever claims it by this token, with what is in hand of the response. `false`:
    /// there are as many such exchanges as there may be, and this reply is as it was.
    pub fn detach(&mut self, token: &ClaimToken, state: &[u8]) -> Result<bool, ReplyError> {
        let mut link = self.link().borrow_mut();
        match link.status(self.exchange()) {
            ExchangeStatus::Open(_) => link.detach(self.exchange(), token.secret, state),
            ExchangeStatus::Gone(reason) => Err(ReplyError::Gone(reason)),
            ExchangeStatus::Over => Err(ReplyError::Ended),
        }
    }
}

/// A link, shared with the replies of its exchanges.
pub(crate) type SharedLink = Rc<RefCell<Link>>;
