//! [`Priority`]: how urgent a response is (RFC 9218, 4).

use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::error::Code;
use super::unidirectional::PriorityUpdate;
use super::{Http3, Quic, log};
use crate::StreamId;

/// What the client says of the order in which it wants its responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priority {
    /// 0 is the most urgent, 7 the least.
    pub urgency: u8,
    /// Several at a time are of use, each in parts.
    pub incremental: bool,
}

impl Default for Priority {
    fn default() -> Self {
        Self { urgency: 3, incremental: false }
    }
}

impl Priority {
    /// Reads the value of a `Priority` field. What cannot be read is as if it were not there
    /// (RFC 9218, 4 and 5).
    pub fn parse(value: &[u8]) -> Self {
        let Ok(said) = Parser::new(value).parse::<Dictionary>() else { return Self::default() };
        let item = |name: &str| match said.get(name) {
            Some(ListEntry::Item(item)) => Some(&item.bare_item),
            _ => None,
        };
        let urgency = item("u").and_then(BareItem::as_integer);
        let urgency = urgency.and_then(|u| u8::try_from(u).ok()).filter(|u| *u <= 7);
        let incremental = item("i").and_then(BareItem::as_boolean);
        let default = Self::default();
        Self {
            urgency: urgency.unwrap_or(default.urgency),
            incremental: incremental.unwrap_or(default.incremental),
        }
    }

    /// Sets it on a stream.
    pub fn apply(self, quic: &mut Quic, stream: StreamId) {
        /// Less urgent than what is about the connection.
        const REQUESTS: u8 = 8;
        // A stream that is gone needs none.
        let _ = quic.stream_priority(stream, REQUESTS + self.urgency, self.incremental);
    }
}

impl Http3 {
    /// RFC 9218, 7. One for a request that is not there yet is taken with its head.
    pub(super) fn reprioritize(&mut self, control: StreamId, update: PriorityUpdate) {
        let PriorityUpdate { stream: id, value } = update;
        log::priority_parsed(&mut self.quic, control, id, &value);
        let streams_max = self.context.settings.http3.streams_max;
        if id >= self.next_stream.saturating_add(streams_max.saturating_mul(4)) {
            // More than may be opened, even if all that ever were are over.
            return self.fail(Code::IdError);
        }
        let priority = Priority::parse(&value);
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.priority = priority;
            stream.turn = 0;
            priority.apply(&mut self.quic, id);
            return;
        }
        if self.quic.stream_closed(id) || self.is_closing(id) {
            return;
        }
        let priorities = &mut self.pending().priorities;
        priorities.insert(id, priority);
        if priorities.len() as u64 > streams_max {
            priorities.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_far_as_they_make_sense() {
        let is = |value: &str, urgency, incremental| {
            let read = Priority::parse(value.as_bytes());
            assert_eq!(read, Priority { urgency, incremental }, "{value}");
        };
        is("", 3, false);
        is("u=0", 0, false);
        is("u=7, i", 7, true);
        is("i=?0, u=1;x=y", 1, false);
        is("u=1, u=2", 2, false);
        is("i, other=(a b)", 3, true);
        is("u=8, i", 3, true);
        is("u=-1", 3, false);
        is("u=high, i=yes", 3, false);
        is("u=5, i=1", 5, false);
        is("u=(1 2)", 3, false);
        is("u=1,", 3, false);
        is("\u{fc}", 3, false);
    }
}
