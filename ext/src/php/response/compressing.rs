//! [`Plan`]: whether and how the content of a response is compressed, and what its head says of it.

use std::borrow::Cow;
use std::sync::Arc;

use config::coding::{ContentCoding, Encoder, encode};
use config::options::config::CompressionOptions;
use http::StatusCode;
use reactor::protocol::files::accepted_codings;
use wire::Fields;

use super::defaults::{default_type, status_has_content};
use super::lines::Lines;
use super::outgoing::Outgoing;
use crate::engine::zend::string::Text;

/// Fields that say that the content stays as it is: it is in a coding, a part, has a digest of its bytes,
/// or a file takes its place.
const AS_IT_IS: [&[u8]; 7] = [
    b"content-encoding",
    b"content-range",
    b"content-digest",
    b"content-md5",
    b"digest",
    b"x-sendfile",
    b"x-accel-redirect",
];

/// What is preferred among codings that a client likes as much: Zstandard costs the least time by far, brotli
/// makes the fewest bytes.
const PREFERENCE: [ContentCoding; 3] =
    [ContentCoding::Zstd, ContentCoding::Brotli, ContentCoding::Gzip];

/// How the content of one response is compressed, if it may be.
#[derive(Debug, Clone)]
pub struct Compression {
    options: Arc<CompressionOptions>,
    /// What the client likes best.
    coding: Option<ContentCoding>,
}

impl Compression {
    /// For the response to a request with these fields.
    pub fn of(options: &Arc<CompressionOptions>, request: &Fields) -> Self {
        let coding = accepted_codings(request, &PREFERENCE).first().copied();
        Self { options: Arc::clone(options), coding }
    }
}

/// What becomes of the content of one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nobody's is compressed.
    AsItIs,
    /// Another client's would be (RFC 9110, 12.5.5).
    Varies,
    /// There is none, but what the client has of it is compressed (304).
    Known,
    /// It is compressed, at a level.
    Coded(ContentCoding, u8),
}

impl Plan {
    /// For a response that has `len` bytes; `None`: nobody knows.
    pub fn of(outgoing: &Outgoing, len: Option<u64>) -> Self {
        let Some(compression) = &outgoing.compression else { return Self::AsItIs };
        let options = &*compression.options;
        if !may_be_compressed(outgoing, options, len) {
            return Self::AsItIs;
        }
        match compression.coding {
            None => Self::Varies,
            Some(_) if outgoing.status == StatusCode::NOT_MODIFIED => Self::Known,
            Some(coding) => Self::Coded(coding, options.level),
        }
    }

    /// Begins to encode a streamed response. Without memory for it the content stays as it is.
    pub fn encoder(&mut self) -> Option<Encoder> {
        let Self::Coded(coding, level) = *self else { return None };
        let encoder = Encoder::new(coding, level).ok();
        if encoder.is_none() {
            *self = Self::Varies;
        }
        encoder
    }

    /// Encodes the content of a whole response, unless that makes it larger.
    pub fn encode(&mut self, content: &[u8]) -> Option<Vec<u8>> {
        let Self::Coded(coding, level) = *self else { return None };
        let coded = encode(coding, level, content).ok().filter(|coded| coded.len() < content.len());
        if coded.is_none() {
            *self = Self::Varies;
        }
        coded
    }

    /// The fields of the response, as they are for what becomes of its content.
    pub fn describe(self, lines: &Lines) -> Cow<'_, Lines> {
        if self == Self::AsItIs {
            return Cow::Borrowed(lines);
        }
        let mut lines = lines.clone();
        vary(&mut lines);
        if let Self::Coded(coding, _) = self {
            lines.remove(b"content-length");
            // Ranges would be of other bytes.
            lines.remove(b"accept-ranges");
            lines.set(&Text::new(b"Content-Encoding"), [Text::new(coding.name().as_bytes())]);
        }
        if self != Self::Varies {
            weaken(&mut lines);
        }
        Cow::Owned(lines)
    }
}

/// Makes `ETag` a weak one: the bytes are others, and what they mean is the same (RFC 9110, 8.8.3.3).
fn weaken(lines: &mut Lines) {
    let strong = lines.get(b"etag").filter(|tag| tag.starts_with(b"\""));
    if let Some(weak) = strong.map(|tag| [b"W/", tag].concat()) {
        lines.set(&Text::new(b"ETag"), [Text::new(&weak)]);
    }
}

fn may_be_compressed(outgoing: &Outgoing, options: &CompressionOptions, len: Option<u64>) -> bool {
    let lines = &outgoing.lines;
    let cached = outgoing.status == StatusCode::NOT_MODIFIED;
    if outgoing.status == StatusCode::PARTIAL_CONTENT
        || !(cached || status_has_content(outgoing.status))
        || !cached && len.is_some_and(|len| len < options.bytes_min.max(1))
        || AS_IT_IS.iter().any(|name| lines.get(name).is_some())
        || has_member(lines, b"cache-control", b"no-transform")
    {
        return false;
    }
    let default;
    let media_type = match lines.get(b"content-type") {
        Some(own) => own,
        None if outgoing.untyped => return false,
        None => {
            default = default_type();
            &default
        }
    };
    let name = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    options.types.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether a field that is a list has this member, in upper or lower case.
fn has_member(lines: &Lines, field: &[u8], member: &[u8]) -> bool {
    lines
        .get_all(field)
        .flat_map(|line| line.split(|byte| *byte == b','))
        .any(|known| known.trim_ascii().eq_ignore_ascii_case(member))
}

/// Adds `Accept-Encoding` to the one line of `Vary`.
fn vary(lines: &mut Lines) {
    if has_member(lines, b"vary", b"*") || has_member(lines, b"vary", b"accept-encoding") {
        return;
    }
    let own = lines.get_all(b"vary").filter(|line| !line.trim_ascii().is_empty());
    let all: Vec<&[u8]> = own.chain([&b"Accept-Encoding"[..]]).collect();
    let all = Text::new(&all.join(&b", "[..]));
    lines.set(&Text::new(b"Vary"), [all]);
}
