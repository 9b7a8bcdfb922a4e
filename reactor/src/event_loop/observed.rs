//! The records of an event loop's exchanges, from where these are over to who observes them.

use wire::{Reason, RequestHead, RequestIds, ids};

use super::EventLoop;
use crate::client::Client;
use crate::conn::PumpResult;
use crate::protocol::StreamId;
use crate::protocol::ended::{Ended, Ending, Sent};
use crate::protocol::error::{Fault, ProtocolError};
use crate::slots::Key;

impl EventLoop {
    /// A request is over, as its protocol says.
    pub(super) fn over(&mut self, key: Key, ended: &Ended) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let record = client.exchanges().take_record(ended.stream);
        self.turn.records.over(record, ended, client.origin(), self.turn.clock.now());
    }

    /// Refuses a request for what is wrong with it.
    pub(super) fn refuse(&mut self, key: Key, stream: StreamId, head: &RequestHead, fault: Fault) {
        let _about = ids::about(&head.ids);
        let (refusal, now) = (ProtocolError::stream(fault), self.turn.now());
        self.turn.error_log.refused(&refusal, head.origin.remote, now);
        self.answer(key, stream, fault.status());
    }

    /// A request, or all of a connection, was refused, as its protocol says.
    pub(super) fn refused(&mut self, key: Key, refusal: ProtocolError) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let (client, ids) = match refusal.stream {
            Some(stream) => (client.origin().remote, client.exchanges().ids(stream)),
            None => (client.origin().remote, RequestIds::NONE),
        };
        let _about = ids::about(&ids);
        self.turn.error_log.refused(&refusal, client, self.turn.clock.now().instant);
    }

    /// A connection is over, and so are its requests, for this reason.
    pub(super) fn abandon(&mut self, client: &mut Client, reason: Reason) {
        if !self.turn.records.are_wanted() {
            return;
        }
        let (origin, now) = (*client.origin(), *self.turn.clock.now());
        let mut over = |client: &mut Client, mut ended: Ended| {
            if ended.ending == Ending::Lost(Reason::ClientGone) {
                ended.ending = Ending::Lost(reason);
            }
            let record = client.exchanges().take_record(ended.stream);
            self.turn.records.over(record, &ended, &origin, &now);
        };
        for ended in client.unfinished() {
            over(client, ended);
        }
        for stream in client.exchanges().observed_streams() {
            let ending = Ending::Lost(Reason::ClientGone);
            over(client, Ended { stream, version: None, sent: Sent::default(), ending });
        }
    }

    /// A connection is closed because its client was too late.
    pub(super) fn close_late(&mut self, key: Key, fate: PumpResult) {
        if let Some(mut client) = self.remove_client(key) {
            self.abandon(&mut client, Reason::ClientStalled);
            self.closed(client, fate);
        }
    }

    /// The thread ends: whatever is still in work is over.
    pub(super) fn abandon_records(&mut self) {
        for key in self.clients.keys() {
            if let Some(mut client) = self.remove_client(key) {
                self.abandon(&mut client, Reason::Shutdown);
            }
        }
        self.turn.records.turn_ends();
    }
}
