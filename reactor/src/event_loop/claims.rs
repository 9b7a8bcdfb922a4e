//! Detached exchanges on their way to the workers that claim them, whichever pool these are of.

use std::mem::take;

use super::EventLoop;
use crate::handler::workers::Claim;
use crate::handler::{ExchangeKey, HandlerId};

impl EventLoop {
    /// Gives the exchanges that workers have claimed in this turn to them. What the exchanges were answered
    /// before is with their connections. Says whether there were any.
    pub(super) fn settle_claims(&mut self) -> bool {
        if self.turn.claims.is_empty() {
            return false;
        }
        for claim in take(&mut self.turn.claims) {
            self.settle_claim(&claim);
        }
        true
    }

    fn settle_claim(&mut self, claim: &Claim) {
        let claims = self.handlers.pool(claim.by).is_some_and(|pool| pool.may_claim(claim));
        let holder = self.handlers.pool(claim.pool).filter(|_| claims);
        let exchange = holder.and_then(|holder| holder.give_up_detached(claim));
        let Some(worker) = self.handlers.pool(claim.by) else { return };
        let Some(exchange) = exchange else { return worker.refuse_claim(claim) };
        let (conn, stream) = (exchange.conn, exchange.stream);
        let (by, id) = (HandlerId::Pool(claim.by), worker.adopt(exchange, claim, &mut self.turn));
        let from = ExchangeKey { handler: HandlerId::Pool(claim.pool), id: claim.exchange };
        if let Some(client) = self.clients.get_mut(conn) {
            client.exchanges().renamed(stream, from, ExchangeKey { handler: by, id });
        }
    }
}
