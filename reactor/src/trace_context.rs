//! [`TraceSource`]: each request is part of a trace (W3C Trace Context), its client's or a new one, and has a span
//! of its own in it.
//!
//! Handlers see `traceparent` with the span of the server in it: what they do is part of that.

use std::fmt;

use boring::rand::rand_bytes;
use bytes::Bytes;
use wire::fields::FieldsBuilder;
use wire::hex;
use wire::{RequestHead, Version};

use crate::request_ids::IdTrust;

/// How requests become parts of traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceSettings {
    /// Whose traces go on; others' requests begin new ones.
    pub trust: IdTrust,
    /// Which part of the new traces is sampled, 0 to 1.
    pub ratio: f64,
    /// Whether traces that go on are sampled as their client says, and not as new ones.
    pub parent_decides: bool,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { trust: IdTrust::Everybody, ratio: 1.0, parent_decides: true }
    }
}

/// The place of a request in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span of the server.
    pub span_id: [u8; 8],
    /// The span of the client, where its trace goes on.
    pub parent: Option<[u8; 8]>,
    /// Whether spans are recorded.
    pub sampled: bool,
    /// What else the client's tracers say, as sent (`tracestate`).
    pub state: Option<Bytes>,
}

/// What `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

/// Random bytes that are fetched in one go: those of 32 traces with a span.
const RANDOM_BYTES: usize = 32 * 24;

/// Gives the requests of one thread their place in a trace.
pub(crate) struct TraceSource {
    settings: TraceSettings,
    random: Box<[u8; RANDOM_BYTES]>,
    /// How many of those were used.
    used: usize,
}

impl fmt::Debug for TraceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceSource").field(&self.settings).finish()
    }
}

impl TraceSource {
    /// One that begins.
    pub fn new(settings: TraceSettings) -> Self {
        Self { settings, random: Box::new([0; RANDOM_BYTES]), used: RANDOM_BYTES }
    }

    /// Gives a request its place, and puts it into the fields.
    pub fn assign(&mut self, head: &mut RequestHead) -> TraceContext {
        let parent = self.parent(head);
        let trace_id = parent.map_or_else(|| self.random(), |parent| parent.trace_id);
        let context = TraceContext {
            trace_id,
            span_id: self.random(),
            parent: parent.map(|parent| parent.span_id),
            sampled: match parent {
                Some(parent) if self.settings.parent_decides => parent.sampled,
                _ => self.samples(&trace_id),
            },
            state: parent.and_then(|_| state(head)),
        };
        // Where a trace does not go on, what its tracers say is of no use (3.3.1, and 4.3).
        let stays = |name: &[u8]| {
            name != b"traceparent" && (name != b"tracestate" || context.parent.is_some())
        };
        let (lines, bytes) = head.fields.iter().fold((1, 80), |(lines, bytes), (name, value)| {
            (lines + 1, bytes + name.len() + value.len())
        });
        let mut fields = FieldsBuilder::with_capacity(lines, bytes);
        let kept = head.fields.iter().filter(|(name, _)| stays(name));
        kept.for_each(|(name, value)| fields.push(name, value));
        fields.push(b"traceparent", &context.text());
        head.fields = fields.build();
        context
    }

    /// What the request says of its trace, if its sender is believed.
    fn parent(&self, head: &RequestHead) -> Option<Parent> {
        let believed = match self.settings.trust {
            IdTrust::Nobody => false,
            // Early data may come from anywhere (RFC 8446, 8).
            IdTrust::Proxies => head.origin.trusted_proxy && !is_early(head),
            IdTrust::Everybody => true,
        };
        let mut values = head.fields.get_all(b"traceparent").filter(|_| believed);
        let value = values.next()?;
        // Several are none (3.2.1).
        values.next().is_none().then(|| parse(value)).flatten()
    }

    /// Whether a new trace is sampled: by its id, so that everybody who has the same ratio says the same
    /// (OpenTelemetry, TraceIdRatioBased).
    fn samples(&self, trace_id: &[u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = *trace_id;
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
        self.settings.ratio >= 1.0 || (number as f64) < self.settings.ratio * (1u64 << 63) as f64
    }

    /// Random bytes that are not all zero, as no id may be (3.2.2.3).
    fn random<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > RANDOM_BYTES {
            // The library never returns an error here: it ends the process when there is no randomness.
            let _ = rand_bytes(&mut self.random[..]);
            self.used = 0;
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.random[self.used..self.used + N]);
        self.used += N;
        if bytes == [0; N] {
            bytes[N - 1] = 1;
        }
        bytes
    }
}

fn is_early(head: &RequestHead) -> bool {
    head.version == Version::Http3 && head.fields.get(b"early-data").is_some()
}

/// The values of `tracestate`, of which several are one list (3.3.1.1).
fn state(head: &RequestHead) -> Option<Bytes> {
    let mut values = head.fields.get_all(b"tracestate");
    let first = values.next()?;
    let mut list = first.to_vec();
    for value in values {
        list.push(b',');
        list.extend_from_slice(value);
    }
    Some(list.into())
}

impl TraceContext {
    /// `traceparent`, with the span of the server in it. Of the flags only the one is kept that is defined (3.2.2.5).
    fn text(&self) -> [u8; 55] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex::write(&self.trace_id, &mut text[3..35]);
        hex::write(&self.span_id, &mut text[36..52]);
        text[54] += u8::from(self.sampled);
        text
    }
}

/// `traceparent` (3.2), its digits in lower case alone (3.2.1). Versions to come may be longer, and begin
/// as this one does (3.2.4).
fn parse(value: &[u8]) -> Option<Parent> {
    let [version]: [u8; 1] = hex::read(value.get(..2)?)?;
    let rest = value.get(55..)?;
    let ends = match version {
        0 => rest.is_empty(),
        0xff => return None,
        _ => matches!(rest, [] | [b'-', ..]),
    };
    let dashes = [2, 35, 52].into_iter().all(|at| value[at] == b'-');
    let trace_id: [u8; 16] = hex::read(&value[3..35])?;
    let span_id: [u8; 8] = hex::read(&value[36..52])?;
    let [flags]: [u8; 1] = hex::read(&value[53..55])?;
    let named = trace_id != [0; 16] && span_id != [0; 8];
    (ends && dashes && named).then_some(Parent { trace_id, span_id, sampled: flags & 1 == 1 })
}

#[cfg(test)]
mod tests {
    use wire::hex::Hex;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn parent(value: &str) -> Option<(String, String, bool)> {
        let Parent { trace_id, span_id, sampled } = parse(value.as_bytes())?;
        Some((Hex(&trace_id).to_string(), Hex(&span_id).to_string(), sampled))
    }

    #[test]
    fn a_parent_is_read_by_the_rules() {
        for (end, sampled) in [("-01", true), ("-00", false), ("-03", true), ("-fe", false)] {
            let wanted = Some((TRACE.to_owned(), SPAN.to_owned(), sampled));
            assert_eq!(parent(&format!("00-{TRACE}-{SPAN}{end}")), wanted, "{end}");
        }
        for later in ["01", "01-and-more", "01-"] {
            assert!(parent(&format!("cc-{TRACE}-{SPAN}-{later}")).is_some(), "{later}");
        }
    }

    #[test]
    fn what_is_no_parent_is_refused() {
        let zeros = "0".repeat(32);
        let bad = [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("cc-{TRACE}-{SPAN}-01.more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-011"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{}ü-{SPAN}-01", &TRACE[..30]),
        ];
        for value in bad {
            assert_eq!(parent(&value), None, "{value}");
        }
    }

    #[test]
    fn a_part_of_new_traces_is_sampled() {
        for (ratio, least, most) in [(0.0, 0, 0), (1.0, 4000, 4000), (0.25, 800, 1200)] {
            let settings = TraceSettings { ratio, ..TraceSettings::default() };
            let mut source = TraceSource::new(settings);
            let sampled = (0..4000).filter(|_| {
                let id = source.random();
                source.samples(&id)
            });
            let count = sampled.count();
            assert!((least..=most).contains(&count), "{ratio}: {count}");
        }
    }
}
