//! Connections by their numbers, and what becomes of one that a worker ends.

use std::collections::BTreeMap;

use wire::limits::CLOSE_TIME_MAX;
use wire::shm::Counter;
use wire::{ConnectionId, Part, Reason};

use super::EventLoop;
use crate::client::Client;
use crate::conn::PumpResult;
use crate::slots::Key;
use crate::timer::Timer;

/// The connections of a thread by their numbers. A tree, because it gives its memory back.
pub(super) type Numbers = BTreeMap<ConnectionId, Key>;

impl EventLoop {
    pub(super) fn insert_client(&mut self, client: Client) -> Key {
        let number = ConnectionId(client.origin().connection);
        self.admin_clients += usize::from(self.is_admin(client.origin()));
        let key = self.clients.insert(client);
        self.numbers.insert(number, key);
        key
    }

    pub(super) fn remove_client(&mut self, key: Key) -> Option<Client> {
        let client = self.clients.remove(key)?;
        self.numbers.remove(&ConnectionId(client.origin().connection));
        self.admin_clients -= usize::from(self.is_admin(client.origin()));
        Some(client)
    }

    /// Ends the connections that workers have named in this turn. Says whether there were any. A number
    /// that no connection of this thread has, or has any more, is nobody's.
    pub(super) fn end_named(&mut self) -> bool {
        if self.turn.closings.is_empty() {
            return false;
        }
        for number in std::mem::take(&mut self.turn.closings) {
            if let Some(key) = self.numbers.get(&number) {
                self.end_connection(*key);
            }
        }
        true
    }

    /// Breaks off what is not answered, and has the protocol end when it has sent the rest, in its own
    /// words, but within a bound.
    fn end_connection(&mut self, key: Key) {
        let now = *self.turn.clock.now();
        let Some(client) = self.clients.get_mut(key) else { return };
        let mut gone = Vec::new();
        for stream in client.exchanges().streams() {
            gone.extend(client.exchanges().forget(stream));
            let part = Part::Abort(Reason::ClientGone);
            // A stream that is gone by itself needs no end.
            client.send(stream, part, &now, &mut self.turn.error_log);
        }
        // Once: a timer for each time that a worker says so would fill memory.
        if !client.is_draining() {
            client.shutdown(&now);
            self.turn.set_timer(now.instant + CLOSE_TIME_MAX, Timer::CutOff(key));
        }
        self.ready.push(key);
        for exchange in gone {
            self.common.shared.add(Counter::GivenUp, 1);
            self.client_gone(exchange);
        }
    }

    /// A connection that was to end has had its time.
    pub(super) fn cut_off(&mut self, key: Key) {
        self.close(key, PumpResult::Abort);
    }
}
