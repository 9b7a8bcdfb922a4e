//! What a worker asks the reactor of detached exchanges, and has an answer to before it goes on.

use wire::{ClaimSecret, ClaimToken, Claimed, ExchangeId, Reason, ToWorker};

use super::current::CurrentExchange;
use super::{ExchangeStatus, Link};
use crate::runtime::reply::ReplyError;

/// What the reactor answers.
#[derive(Debug)]
pub(super) enum LinkAnswer {
    /// Whether an exchange is detached.
    Detached(bool),
    /// The exchange that was claimed, if there is one.
    Claimed(Option<(ExchangeId, Box<Claimed>)>),
}

impl Link {
    /// Detaches an exchange that is open. `false`: the reactor keeps no more of them.
    pub(crate) fn detach(
        &mut self,
        exchange: ExchangeId,
        secret: ClaimSecret,
        state: &[u8],
    ) -> Result<bool, ReplyError> {
        self.encoder.detach(exchange, secret, state);
        match self.ask() {
            Some(LinkAnswer::Detached(true)) => {
                self.forget(exchange);
                Ok(true)
            }
            Some(LinkAnswer::Detached(false)) => Ok(false),
            _ => match self.status(exchange) {
                ExchangeStatus::Gone(reason) => Err(ReplyError::Gone(reason)),
                _ => Err(ReplyError::Gone(Reason::ClientGone)),
            },
        }
    }

    /// Claims a detached exchange.
    pub(crate) fn claim(&mut self, token: &ClaimToken) -> Option<(ExchangeId, Box<Claimed>)> {
        self.encoder.claim(token.exchange, token.pool, token.secret);
        match self.ask() {
            Some(LinkAnswer::Claimed(claimed)) => claimed,
            _ => None,
        }
    }

    /// How many exchanges the callback has claimed by this link.
    pub(crate) fn claims(&self) -> usize {
        self.claimed.len()
    }

    /// One of them.
    pub(crate) fn last_claim(&self) -> Option<ExchangeId> {
        self.claimed.last().map(|claimed| claimed.exchange)
    }

    /// Waits for the answer to what has been asked. The reactor never blocks: it answers in its next turn, or
    /// is replaced, by which the link ends.
    fn ask(&mut self) -> Option<LinkAnswer> {
        self.flush();
        loop {
            self.demultiplex();
            let answer = self.answer.take();
            if answer.is_some() || self.ended {
                return answer;
            }
            self.read(0);
        }
    }

    /// Takes an answer at once, so that what follows it about its exchange takes effect. Gives any other
    /// message back.
    pub(super) fn take_answer(
        &mut self,
        exchange: ExchangeId,
        message: ToWorker,
    ) -> Option<ToWorker> {
        self.answer = Some(match message {
            ToWorker::Detached(yes) => LinkAnswer::Detached(yes),
            ToWorker::Claimed(None) => LinkAnswer::Claimed(None),
            ToWorker::Claimed(Some(claimed)) => {
                self.claimed.push(CurrentExchange::new(exchange, claimed.window, false));
                LinkAnswer::Claimed(Some((exchange, claimed)))
            }
            message => return Some(message),
        });
        None
    }
}
