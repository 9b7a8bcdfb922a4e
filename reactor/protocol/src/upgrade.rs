//! Upgrades: a stream whose content belongs to another protocol, a machine of its own.
//!
//! A client asks for one by `Upgrade` (RFC 9110, 7.8) or by extended CONNECT (RFC 8441; RFC 9220), which
//! shows in [`RequestHead::upgrade`]. Once it is [accepted](Protocol::upgrade), the protocol of the
//! connection gives out the stream's bytes as content without bounds, and takes bytes as content. What
//! they mean is the machine's business:
//!
//! ```text
//!             ┌──────────┐  Body, End   ┌──────────┐  Body, End, Abort
//!  client ──▶ │          │ ───────────▶ │          │ ─────────────────▶ handler
//!             │ Protocol │              │ Machine  │
//!         ◀── │          │ ◀─────────── │          │ ◀─────────────────
//!             └──────────┘  Body, End   └──────────┘  Body, End, Abort
//! ```
//!
//! A machine that wants no input holds the client back; a client that does not read holds the machine
//! back, and with it the handler.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use wire::limits::UPGRADED_AHEAD_BYTES_MAX;
use wire::{Fields, Part, Reason, RequestHead, ResponseHead};

use super::{Flow, Now, Protocol, StreamId};

/// What the client is told of an upgrade that is accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The protocol of the stream from now on: the `Upgrade` field of a 101.
    pub protocol: Bytes,
    /// Fields of the head, names in lower case.
    pub fields: Fields,
}

/// What a stream brings to its machine.
#[derive(Debug)]
pub enum StreamInput<'a> {
    /// Bytes. What the machine leaves is presented again, with what has come since behind it.
    Bytes(&'a mut BytesMut),
    /// The client sends no more.
    End,
    /// The instant of [`Machine::deadline`] has passed.
    Timeout,
}

/// A protocol on one stream.
pub trait Machine: Send {
    /// Takes what came from the client.
    fn receive(&mut self, input: StreamInput<'_>, now: &Now);

    /// What the handler gets of it: content, and its end. Called until there is none.
    fn poll(&mut self) -> Option<Part<Box<RequestHead>>>;

    /// Takes a part of the handler's. There is no head: the upgrade was it.
    fn send(&mut self, part: Part<ResponseHead>, now: &Now) -> Flow;

    /// The next bytes for the client, at most `room`, which is at least 1; `None` while there are none.
    fn transmit(&mut self, room: usize) -> Option<Bytes>;

    /// Whether [`receive`](Self::receive) can use bytes now.
    fn wants_input(&self) -> bool;

    /// Whether nothing follows what [`transmit`](Self::transmit) has given: the stream ends then.
    fn is_over(&self) -> bool;

    /// When to call [`receive`](Self::receive) with [`StreamInput::Timeout`].
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// The upgraded streams of a connection.
#[derive(Default)]
pub struct Upgrades {
    streams: BTreeMap<StreamId, Upgraded>,
    /// Parts for handlers.
    parts: Vec<(StreamId, Part<Box<RequestHead>>)>,
    /// Content of handlers' that has left its machine.
    released: Vec<(StreamId, u64)>,
}

struct Upgraded {
    machine: Box<dyn Machine>,
    /// What the machine has left of the client's bytes; bounded by what is under way when the client
    /// is held back.
    unread: BytesMut,
    input: TunnelInput,
    /// Bytes that the protocol has and the client has not taken.
    ahead: u64,
    /// Content bytes of the handler's that the machine has taken and not been relieved of.
    owed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TunnelInput {
    /// The client may send.
    Flowing,
    /// It is held back.
    Paused,
    /// It has sent its last byte, which the machine has not been told.
    Ended,
    /// The machine knows.
    Told,
}

impl Upgrades {
    /// Accepts the upgrade that a request asks for. [`Flow::Gone`]: the stream is gone, has not asked, has
    /// been answered, or the client has ended its direction already.
    pub fn accept(
        &mut self,
        protocol: &mut (impl Protocol + ?Sized),
        stream: StreamId,
        accepted: &Accepted,
        machine: Box<dyn Machine>,
        now: &Now,
    ) -> Flow {
        let flow = protocol.upgrade(stream, accepted, now);
        if flow == Flow::Ready {
            let (unread, input) = (BytesMut::new(), TunnelInput::Flowing);
            self.streams.insert(stream, Upgraded { machine, unread, input, ahead: 0, owed: 0 });
        }
        flow
    }

    /// Whether a stream is one of them.
    pub fn contains(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.parts.is_empty() && self.released.is_empty()
    }

    /// Takes what the protocol has given out, if it is of such a stream; gives it back otherwise.
    pub fn take(
        &mut self,
        stream: StreamId,
        part: Part<Box<RequestHead>>,
    ) -> Option<Part<Box<RequestHead>>> {
        let Some(upgraded) = self.streams.get_mut(&stream) else { return Some(part) };
        match part {
            Part::Body(bytes) => upgraded.unread.extend_from_slice(&bytes),
            Part::End(_) => upgraded.input = TunnelInput::Ended,
            Part::Abort(Reason::ClientLeaving) | Part::Head(_) | Part::File(_) => {}
            Part::Abort(reason) => {
                self.forget(stream);
                self.parts.push((stream, Part::Abort(reason)));
            }
        }
        None
    }

    /// Takes a part of a handler's for such a stream.
    pub fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        let Some(upgraded) = self.streams.get_mut(&stream) else { return Flow::Gone };
        if let Part::Body(bytes) = &part {
            upgraded.owed += bytes.len() as u64;
        }
        upgraded.machine.send(part, now)
    }

    /// The client has taken bytes of a stream. `false`: it is not one of these.
    pub fn client_took(&mut self, stream: StreamId, bytes: u64) -> bool {
        let Some(upgraded) = self.streams.get_mut(&stream) else { return false };
        upgraded.ahead = upgraded.ahead.saturating_sub(bytes);
        true
    }

    /// Moves everything on between the machines and the protocol. To be called when either may have
    /// something new. Says whether the protocol was given something.
    pub fn drive(&mut self, protocol: &mut (impl Protocol + ?Sized), now: &Now) -> bool {
        let (mut over, mut given) = (Vec::new(), false);
        for (stream, upgraded) in &mut self.streams {
            upgraded.read(*stream, protocol, &mut self.parts, now);
            let before = upgraded.ahead;
            let goes_on = upgraded.write(*stream, protocol, now);
            given |= !goes_on || upgraded.ahead != before;
            if !goes_on {
                over.push(*stream);
            }
            if upgraded.owed > 0 && upgraded.room() > 0 {
                self.released.push((*stream, std::mem::take(&mut upgraded.owed)));
            }
        }
        for stream in over {
            self.forget(stream);
        }
        given
    }

    fn forget(&mut self, stream: StreamId) {
        if let Some(Upgraded { owed: owed @ 1.., .. }) = self.streams.remove(&stream) {
            self.released.push((stream, owed));
        }
    }

    /// Parts for handlers, in order.
    pub fn parts(&mut self) -> impl Iterator<Item = (StreamId, Part<Box<RequestHead>>)> + '_ {
        self.parts.drain(..)
    }

    /// Content of handlers' that has left its machine.
    pub fn released(&mut self) -> impl Iterator<Item = (StreamId, u64)> + '_ {
        self.released.drain(..)
    }

    /// When to call [`timeout`](Self::timeout).
    pub fn deadline(&self) -> Option<Instant> {
        self.streams.values().filter_map(|upgraded| upgraded.machine.deadline()).min()
    }

    /// Tells the machines whose deadline has passed.
    pub fn timeout(&mut self, now: &Now) {
        for Upgraded { machine, .. } in self.streams.values_mut() {
            if machine.deadline().is_some_and(|deadline| deadline <= now.instant) {
                machine.receive(StreamInput::Timeout, now);
            }
        }
    }
}

impl Upgraded {
    /// How many bytes the protocol may have more.
    fn room(&self) -> usize {
        UPGRADED_AHEAD_BYTES_MAX.saturating_sub(self.ahead as usize)
    }

    /// Gives the machine what has come, as far as it wants it, and takes its parts.
    fn read(
        &mut self,
        stream: StreamId,
        protocol: &mut (impl Protocol + ?Sized),
        parts: &mut Vec<(StreamId, Part<Box<RequestHead>>)>,
        now: &Now,
    ) {
        while self.machine.wants_input() && self.unread.has_remaining() {
            let before = self.unread.len();
            self.machine.receive(StreamInput::Bytes(&mut self.unread), now);
            if self.unread.len() == before {
                break;
            }
        }
        if self.input == TunnelInput::Ended && self.machine.wants_input() {
            self.machine.receive(StreamInput::End, now);
            self.input = TunnelInput::Told;
        }
        let wants = self.machine.wants_input();
        let turned = match self.input {
            TunnelInput::Flowing if !wants => Some(TunnelInput::Paused),
            TunnelInput::Paused if wants => Some(TunnelInput::Flowing),
            _ => None,
        };
        if let Some(input) = turned {
            self.input = input;
            protocol.set_paused(stream, input == TunnelInput::Paused, now);
        }
        while let Some(part) = self.machine.poll() {
            parts.push((stream, part));
        }
    }

    /// Gives the protocol what the machine has for the client. `false`: nothing follows.
    fn write(
        &mut self,
        stream: StreamId,
        protocol: &mut (impl Protocol + ?Sized),
        now: &Now,
    ) -> bool {
        while let room @ 1.. = self.room() {
            let Some(bytes) = self.machine.transmit(room) else { break };
            self.ahead += bytes.len() as u64;
            if protocol.send(stream, Part::Body(bytes), now) == Flow::Gone {
                return false;
            }
        }
        if self.machine.is_over() {
            protocol.send(stream, Part::End(None), now);
            return false;
        }
        true
    }
}
