//! [`Compression`]: whether and how the content of a response is compressed, and what its head says of it.

use std::cell::RefCell;
use std::sync::Arc;

use config::coding::{ContentCoding, ContentEncoder, encode};
use config::options::config::CompressionOptions;
use http::StatusCode;
use reactor::protocol::files::accepted_codings;
use wire::{BodyLength, Fields, FieldsBuilder, ResponseHead};

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

/// Room for what a compressed response has of fields beside its own.
const FIELDS_BYTES: usize = 64;

thread_local! {
    /// What the ports have of `http_compression`, for responses that any callback takes over.
    static PORTS: RefCell<Vec<Option<Arc<CompressionOptions>>>> = const { RefCell::new(Vec::new()) };
}

/// How the content of one response is compressed, if it may be.
#[derive(Debug, Clone)]
pub struct Compression {
    options: Arc<CompressionOptions>,
    /// What the client likes best.
    coding: Option<ContentCoding>,
}

/// What becomes of the content of one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CompressionDecision {
    /// Nobody's is compressed.
    AsItIs,
    /// Another client's would be (RFC 9110, 12.5.5).
    Varies,
    /// There is none, but what the client has of it is compressed (304).
    Known,
    /// It is compressed.
    Coded(ContentCoding),
}

impl Compression {
    /// For the response to a request by this port, with these fields.
    pub fn of_port(port: u16, request: &Fields) -> Option<Self> {
        PORTS.with_borrow(|ports| {
            let options = ports.get(usize::from(port))?.as_ref();
            options.map(|options| Self::of(options, request))
        })
    }

    /// In a worker: how the ports have it, in their order.
    pub fn set_ports(ports: Vec<Option<Arc<CompressionOptions>>>) {
        PORTS.set(ports);
    }

    /// For the response to a request with these fields.
    pub fn of(options: &Arc<CompressionOptions>, request: &Fields) -> Self {
        let coding = accepted_codings(request, &PREFERENCE).first().copied();
        Self { options: Arc::clone(options), coding }
    }

    /// Compresses content that is there as a whole, unless that makes it larger. The head says what has
    /// become of it.
    pub fn whole(&self, head: &mut ResponseHead, content: &[u8]) -> Option<Vec<u8>> {
        let mut outcome = self.outcome(head, Some(content.len() as u64));
        let mut coded = None;
        if let CompressionDecision::Coded(coding) = outcome {
            coded = encode(coding, self.options.level, content).ok();
            coded = coded.filter(|coded| coded.len() < content.len());
            match (&coded, &mut head.length) {
                (None, _) => outcome = CompressionDecision::Varies,
                (Some(coded), BodyLength::Known(len)) => *len = coded.len() as u64,
                (Some(_), BodyLength::Streamed) => {}
            }
        }
        describe(head, outcome);
        coded
    }

    /// Has the head of a response say what would become of its content, which is not made, because of the
    /// method or the status: of `len` bytes; `None`: nobody knows.
    pub fn absent(&self, head: &mut ResponseHead, len: Option<u64>) {
        let outcome = self.outcome(head, len);
        if matches!(outcome, CompressionDecision::Coded(_)) {
            // Nobody knows how long it would be (RFC 9110, 9.3.2).
            head.length = BodyLength::Streamed;
        }
        describe(head, outcome);
    }

    /// Begins to compress content that is sent in pieces: of `len` bytes in all; `None`: nobody knows.
    /// Without memory for it the content stays as it is. The head says which.
    pub fn streamed(&self, head: &mut ResponseHead, len: Option<u64>) -> Option<ContentEncoder> {
        let mut outcome = self.outcome(head, len);
        let mut encoder = None;
        if let CompressionDecision::Coded(coding) = outcome {
            encoder = ContentEncoder::new(coding, self.options.level).ok();
            if encoder.is_none() {
                outcome = CompressionDecision::Varies;
            }
        }
        describe(head, outcome);
        encoder
    }

    fn outcome(&self, head: &ResponseHead, len: Option<u64>) -> CompressionDecision {
        if !self.may_be_compressed(head, len) {
            return CompressionDecision::AsItIs;
        }
        match self.coding {
            None => CompressionDecision::Varies,
            Some(_) if head.status == StatusCode::NOT_MODIFIED => CompressionDecision::Known,
            Some(coding) => CompressionDecision::Coded(coding),
        }
    }

    fn may_be_compressed(&self, head: &ResponseHead, len: Option<u64>) -> bool {
        let fields = &head.fields;
        let not_modified = head.status == StatusCode::NOT_MODIFIED;
        if matches!(
            head.status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT
        ) || !not_modified && len.is_some_and(|len| len < self.options.bytes_min.max(1))
            || AS_IT_IS.iter().any(|name| fields.get(name).is_some())
            || has_member(fields, b"cache-control", b"no-transform")
        {
            return false;
        }
        // With 304 nobody says of what type the content is that the client has.
        let Some(media_type) = fields.get(b"content-type") else { return not_modified };
        let name = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        self.options.types.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }
}

/// Has a head say what has become of the content.
fn describe(head: &mut ResponseHead, outcome: CompressionDecision) {
    if outcome == CompressionDecision::AsItIs {
        return;
    }
    let fields = &head.fields;
    let varies =
        has_member(fields, b"vary", b"*") || has_member(fields, b"vary", b"accept-encoding");
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mut builder = FieldsBuilder::with_capacity(fields.len() + 2, bytes + FIELDS_BYTES);
    let mut vary = Vec::new();
    for (name, value) in fields.iter() {
        match name {
            // One line is what caches read best.
            b"vary" if !varies => {
                vary.extend_from_slice(value.trim_ascii());
                if !value.trim_ascii().is_empty() {
                    vary.extend_from_slice(b", ");
                }
            }
            // Ranges would be of other bytes.
            b"content-length" | b"accept-ranges"
                if matches!(outcome, CompressionDecision::Coded(_)) => {}
            // The bytes are others, and what they mean is the same (RFC 9110, 8.8.3.3).
            b"etag" if outcome != CompressionDecision::Varies && value.starts_with(b"\"") => {
                builder.push(name, &[b"W/", value].concat());
            }
            _ => builder.push(name, value),
        }
    }
    if !varies {
        vary.extend_from_slice(b"Accept-Encoding");
        builder.push(b"vary", &vary);
    }
    if let CompressionDecision::Coded(coding) = outcome {
        builder.push(b"content-encoding", coding.name().as_bytes());
    }
    head.fields = builder.build();
}

/// Whether a field that is a list has this member, in upper or lower case.
fn has_member(fields: &Fields, field: &[u8], member: &[u8]) -> bool {
    fields
        .get_all(field)
        .flat_map(|line| line.split(|byte| *byte == b','))
        .any(|known| known.trim_ascii().eq_ignore_ascii_case(member))
}
