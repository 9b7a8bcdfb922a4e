//! [`Streams`]: a protocol, the exchanges of its streams, and how parts move between them. The same
//! for every transport.

use std::time::Instant;

use wire::head::Origin;
use wire::shm::Shared;
use wire::{Part, RequestHead, ResponseHead, ids};

use super::ConnEvent;
use super::backlog::Parking;
use super::exchanges::Exchanges;
use crate::config::PortConfig;
use crate::error_log::ErrorLog;
use crate::handler::Upgrade;
use crate::protocol::ended::Ended;
use crate::protocol::upgrade::Upgrades;
use crate::protocol::{Closing, Flow, Input, Now, Outgoing, Protocol, StreamId};
use crate::response_spool::ResponseSpool;

/// What a turn's work on any connection has at hand.
pub struct DriveContext<'a> {
    /// The time.
    pub now: &'a Now,
    /// Counters.
    pub shared: Shared,
    /// Where to say what the client does wrong.
    pub error_log: &'a mut ErrorLog,
    /// Where content goes that the client does not take.
    pub spool: &'a mut ResponseSpool,
    /// What came from the client, in order.
    pub events: &'a mut Vec<ConnEvent>,
}

/// The streams of one connection.
pub struct Streams<P> {
    protocol: P,
    /// The exchanges of the streams.
    pub exchanges: Exchanges,
    draining: bool,
    /// Streams that belong to other protocols, while there are any.
    upgrades: Option<Box<Upgrades>>,
    /// Bytes that the transport has taken.
    written: u64,
    /// Requests that are over when the transport has taken so many bytes; none where nobody observes.
    ended: Vec<(u64, Ended)>,
}

impl<P: Protocol> Streams<P> {
    /// Those of a new connection.
    pub fn new(protocol: P) -> Self {
        let exchanges = Exchanges::default();
        let (draining, upgrades, written, ended) = (false, None, 0, Vec::new());
        Self { protocol, exchanges, draining, upgrades, written, ended }
    }

    /// Another protocol takes over, before there is any stream.
    pub fn replace(&mut self, protocol: P, now: &Now) {
        self.protocol = protocol;
        if self.draining {
            self.protocol.shutdown(now);
        }
    }

    /// For what only this protocol has beside the verbs.
    pub fn protocol(&mut self) -> &mut P {
        &mut self.protocol
    }

    /// Where the client is; `port` names the configuration.
    pub fn origin(&self) -> &Origin {
        self.protocol.origin()
    }

    /// [`Protocol::receive`].
    pub fn receive(&mut self, input: Input<'_>, now: &Now) {
        self.protocol.receive(input, now);
    }

    /// [`Protocol::wants_input`].
    pub fn wants_input(&self) -> bool {
        self.protocol.wants_input()
    }

    /// [`Protocol::content_left`].
    pub fn content_left(&self) -> u64 {
        self.protocol.content_left()
    }

    /// [`Protocol::deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        let upgrades = self.upgrades.as_ref().and_then(|upgrades| upgrades.deadline());
        [self.protocol.deadline(), upgrades].into_iter().flatten().min()
    }

    /// Tells the protocol if its deadline has passed.
    pub fn timeout(&mut self, now: &Now) {
        if self.protocol.deadline().is_some_and(|deadline| deadline <= now.instant) {
            self.receive(Input::Timeout, now);
        }
        if let Some(upgrades) = &mut self.upgrades {
            upgrades.timeout(now);
        }
    }

    /// [`Protocol::shutdown`], also of a protocol that takes over later.
    pub fn shutdown(&mut self, now: &Now) {
        self.draining = true;
        self.protocol.shutdown(now);
    }

    /// Whether no further request is wanted.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// [`Protocol::closing`].
    pub fn closing(&self) -> Option<Closing> {
        self.protocol.closing()
    }

    /// Gives the protocol a part of a response.
    pub fn send(
        &mut self,
        stream: StreamId,
        part: Part<ResponseHead>,
        now: &Now,
        error_log: &mut ErrorLog,
    ) -> Flow {
        let flow = give(&mut self.protocol, &mut self.upgrades, stream, part, now);
        self.report(error_log, now);
        flow
    }

    /// Accepts the upgrade that a request asks for: the stream belongs to the machine from now on.
    pub fn upgrade(
        &mut self,
        stream: StreamId,
        upgrade: Upgrade,
        now: &Now,
        error_log: &mut ErrorLog,
    ) -> Flow {
        let Upgrade { accepted, machine } = upgrade;
        let upgrades = self.upgrades.get_or_insert_default();
        let flow = upgrades.accept(&mut self.protocol, stream, &accepted, machine, now);
        if flow == Flow::Ready {
            self.exchanges.upgraded(stream);
        }
        self.report(error_log, now);
        flow
    }

    /// [`Protocol::set_paused`].
    pub fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        self.protocol.set_paused(stream, paused, now);
    }

    /// Takes the parts of requests that the protocol has, whatever made it give them out. Nothing else
    /// polls a protocol, so `describe` sees every head, to add what is known of the connection. Says
    /// whether there were any.
    pub fn collect(
        &mut self,
        cx: &mut DriveContext<'_>,
        mut describe: impl FnMut(&mut P, &mut RequestHead),
    ) -> bool {
        let before = cx.events.len();
        while let Some((stream, part)) = self.protocol.poll() {
            let taken = match &mut self.upgrades {
                Some(upgrades) => upgrades.take(stream, part),
                None => Some(part),
            };
            let Some(mut part) = taken else { continue };
            if let Part::Head(head) = &mut part {
                describe(&mut self.protocol, head);
            }
            cx.events.push(ConnEvent::Request(stream, part));
        }
        self.drive_upgrades(cx);
        let any = cx.events.len() != before;
        self.tell_refused(cx.events);
        self.tell_ended(cx.events);
        any
    }

    /// The transport has taken bytes that [`fill`](Self::fill) has moved out.
    pub fn wrote(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// Tells of the requests that are over. Behind the parts of requests, so that one is told of first.
    fn tell_ended(&mut self, events: &mut Vec<ConnEvent>) {
        if self.ended.is_empty() {
            return;
        }
        let written = self.written;
        let over = self.ended.extract_if(.., |(at, _)| *at <= written);
        events.extend(over.map(|(_, ended)| ConnEvent::Ended(ended)));
        if self.ended.is_empty() {
            self.ended = Vec::new();
        }
    }

    /// The connection is over: what became of the requests that [`collect`](Self::collect) has not told of.
    pub fn unfinished(&mut self) -> Vec<Ended> {
        let mut all = Vec::new();
        for (at, mut ended) in std::mem::take(&mut self.ended) {
            let unwritten = at.saturating_sub(self.written);
            if unwritten > 0 {
                ended.sent.content = ended.sent.content.saturating_sub(unwritten);
                ended.sent.wire = ended.sent.wire.saturating_sub(unwritten);
                ended = ended.cut();
            }
            all.push(ended);
        }
        self.protocol.unfinished(&mut all);
        all
    }

    /// Moves on what is between the protocol and other protocols on its streams. Says whether the protocol
    /// was given something.
    #[inline]
    fn drive_upgrades(&mut self, cx: &mut DriveContext<'_>) -> bool {
        self.upgrades.is_some() && self.drive_upgraded(cx)
    }

    /// The same, apart, so that a connection without an upgrade pays for a look and no more.
    #[cold]
    fn drive_upgraded(&mut self, cx: &mut DriveContext<'_>) -> bool {
        let Some(upgrades) = &mut self.upgrades else { return false };
        let given = upgrades.drive(&mut self.protocol, cx.now);
        cx.events.extend(upgrades.parts().map(|(stream, part)| ConnEvent::Request(stream, part)));
        for (stream, bytes) in upgrades.released() {
            self.exchanges.released(stream, bytes);
        }
        if upgrades.is_empty() {
            self.upgrades = None;
        }
        given
    }

    /// Moves what may be written now from the protocol to `out`, and to the protocol what waits for
    /// that, until `out` is full or nothing is left.
    pub fn fill(&mut self, out: &mut Outgoing<'_>, cx: &mut DriveContext<'_>) {
        while !out.is_full() {
            self.protocol.transmit(out, cx.now);
            for (stream, bytes) in out.released().drain(..) {
                // Those of an upgraded stream are its machine's.
                let upgrades = self.upgrades.as_mut();
                if !upgrades.is_some_and(|upgrades| upgrades.client_took(stream, bytes)) {
                    self.exchanges.released(stream, bytes);
                }
            }
            if !out.ended().is_empty() {
                let at = self.written + out.unwritten();
                self.ended.extend(out.ended().drain(..).map(|ended| (at, ended)));
            }
            let (protocol, upgrades) = (&mut self.protocol, &mut self.upgrades);
            let send = |stream, part| give(protocol, upgrades, stream, part, cx.now);
            let refilled = self.exchanges.refill(cx.events, send);
            if !self.drive_upgrades(cx) && !refilled {
                break;
            }
        }
    }

    /// Spools what waits for the client. Says whether the protocol was given something.
    pub fn spool(&mut self, port: &PortConfig, cx: &mut DriveContext<'_>) -> bool {
        if !self.exchanges.is_behind() {
            return false;
        }
        let mut parking = Parking::new(cx.spool, port, cx.now.instant);
        let (protocol, upgrades) = (&mut self.protocol, &mut self.upgrades);
        let send = |stream, part| give(protocol, upgrades, stream, part, cx.now);
        let given = self.exchanges.spool(&mut parking, cx.events, send);
        self.tell_refused(cx.events);
        given
    }

    /// Counts what is in memory at the end of a turn's work, `beside` bytes of it on the way to the socket.
    /// Where all connections together have more than they may have, what this one's protocol has goes to
    /// the spool, and so should what is beside it: says so.
    pub fn settle(&mut self, beside: u64, cx: &mut DriveContext<'_>) -> bool {
        let exceeded = self.exchanges.settle(beside, cx.spool);
        if exceeded {
            self.move_from_memory(cx.spool);
        }
        exceeded
    }

    fn move_from_memory(&mut self, spool: &mut ResponseSpool) {
        let Self { protocol, exchanges, upgrades, .. } = self;
        // What has no room now has none for the next piece either.
        let mut full = false;
        protocol.spool(&mut |stream, content, credited| {
            let upgraded = upgrades.as_ref().is_some_and(|upgrades| upgrades.contains(stream));
            if full || upgraded {
                return None;
            }
            let slice = exchanges.keep_in_file(stream, content, credited, spool);
            full = slice.is_none();
            slice
        });
    }

    /// Tells of what the protocol has refused, behind the heads of those requests.
    fn tell_refused(&mut self, events: &mut Vec<ConnEvent>) {
        while let Some(refusal) = self.protocol.refusal() {
            events.push(ConnEvent::Refused(refusal));
        }
    }

    /// Counts and logs what the protocol has refused of a response.
    fn report(&mut self, error_log: &mut ErrorLog, now: &Now) {
        while let Some(refusal) = self.protocol.refusal() {
            let ids = refusal.stream.map(|stream| self.exchanges.ids(stream));
            let _about = ids.as_ref().map(ids::about);
            error_log.refused(&refusal, self.origin().remote, now.instant);
        }
    }
}

/// Gives a part to the protocol, or to the machine that the stream belongs to.
fn give<P: Protocol>(
    protocol: &mut P,
    upgrades: &mut Option<Box<Upgrades>>,
    stream: StreamId,
    part: Part<ResponseHead>,
    now: &Now,
) -> Flow {
    match upgrades {
        Some(upgrades) if upgrades.contains(stream) => upgrades.send(stream, part, now),
        _ => protocol.send(stream, part, now),
    }
}
