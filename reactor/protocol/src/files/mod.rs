//! How a file is answered (RFC 9110): conditions, ranges, and the fields of the response; without I/O.
//!
//! ```text
//!  method, request fields ──┐
//!  FileFacts, FileOptions ──┴─▶ respond ──▶ FileResponse: status, fields, FileContent ──▶ parts
//! ```
//!
//! Static files, `sendfile()` and `X-Sendfile` are all answered by [`respond`], so that they agree.

mod accept_encoding;
mod conditions;
mod media_type;
mod ranges;

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, StatusCode};
use wire::{Fields, FileSlice, Part, ResponseHead};

pub use self::accept_encoding::{ContentCoding, accepted_codings};
use self::conditions::{Precondition, Validators};
pub use self::media_type::media_type;
use self::ranges::{ByteRange, Selection};
use super::message::plain_response;

/// A file that changed less than this ago may change again without a new modification time: file systems
/// keep the time of the last tick of the kernel's clock, of which the longest is 10 ms; a second is what
/// `Last-Modified` can tell apart (RFC 9110, 8.8.2.2).
const SETTLED_NANOS: i128 = 1_000_000_000;

/// What is known of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Length in bytes.
    pub len: u64,
    /// When its content was last changed, in nanoseconds since 1970-01-01 UTC.
    pub modified: i64,
    /// Its inode number: a file that takes the place of another one of the same length and time (as
    /// reproducible builds make them) has another one.
    pub inode: u64,
}

/// How a file is presented.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileOptions<'a> {
    /// Value of `Content-Type`; `None` for none.
    pub media_type: Option<&'a [u8]>,
    /// The coding that the file's content has, for `Content-Encoding`.
    pub coding: Option<ContentCoding>,
    /// An entity tag that the response has already, instead of one made from the facts.
    pub etag: Option<&'a [u8]>,
    /// A `Last-Modified` that the response has already, instead of the file's.
    pub last_modified: Option<&'a [u8]>,
    /// Whether parts of the file may be asked for.
    pub ranges: bool,
}

/// A field line that the response gets.
pub type FileField = (&'static [u8], Vec<u8>);

/// The answer to a request for a file.
#[derive(Debug)]
pub struct FileResponse {
    /// 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// The fields that follow from the file. Validators that [`FileOptions`] gave are not repeated.
    pub fields: Vec<FileField>,
    /// What follows the head.
    pub content: FileContent,
}

/// The content of a response that is made of a file.
#[derive(Debug)]
pub enum FileContent {
    /// None.
    Nothing,
    /// A few words of ours.
    Text(Bytes),
    /// A range of the file, or all of it.
    Range {
        /// First byte.
        offset: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Several ranges (RFC 9110, 14.6), each behind the head of its part.
    Multipart {
        /// Head of the part, first byte and length of the range.
        parts: Vec<(Bytes, u64, u64)>,
        /// What ends the last part.
        end: Bytes,
    },
}

impl FileContent {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Text(text) => text.len() as u64,
            Self::Range { len, .. } => *len,
            Self::Multipart { parts, end } => {
                let parts = parts.iter().map(|(head, _, len)| head.len() as u64 + len);
                parts.sum::<u64>() + end.len() as u64
            }
        }
    }

    /// Whether nothing follows the head.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts that follow the head, up to the end of the message and without it. `file` is the whole
    /// file.
    pub fn parts(self, file: &FileSlice) -> Vec<Part<ResponseHead>> {
        let slice = |offset, len| {
            let mut slice = file.clone();
            (slice.offset, slice.len) = (file.offset + offset, len);
            Part::File(slice)
        };
        match self {
            Self::Nothing => Vec::new(),
            Self::Text(text) => vec![Part::Body(text)],
            Self::Range { len: 0, .. } => Vec::new(),
            Self::Range { offset, len } => vec![slice(offset, len)],
            Self::Multipart { parts, end } => {
                let parts = parts.into_iter();
                let mut all: Vec<_> = parts
                    .flat_map(|(head, offset, len)| [Part::Body(head), slice(offset, len)])
                    .collect();
                all.push(Part::Body(end));
                all
            }
        }
    }
}

/// Answers a request for a file: what it asks for, or why not. Conditions are evaluated in the order of
/// RFC 9110, 13.2.2; methods other than GET and HEAD get the whole file, because what they have changed
/// is not known here. `now` is [`Now::unix_micros`](super::Now::unix_micros).
pub fn respond(
    method: &Method,
    request: &Fields,
    file: &FileFacts,
    options: &FileOptions<'_>,
    now: u64,
) -> FileResponse {
    let whole = FileContent::Range { offset: 0, len: file.len };
    if *method != Method::GET && *method != Method::HEAD {
        let fields = representation(options);
        return FileResponse { status: StatusCode::OK, fields, content: whole };
    }
    // A time in the future is not told (RFC 9110, 8.8.2.1), nor one that HTTP has no words for.
    let modified = u64::try_from(file.modified / 1_000_000_000).unwrap_or(0).min(now / 1_000_000);
    let settled = i128::from(now) * 1000 - i128::from(file.modified) >= SETTLED_NANOS;
    let own_etag = options.etag.is_none().then(|| entity_tag(file, settled));
    let own_date = options.last_modified.is_none().then(|| http_date(modified));
    let validators = Validators {
        etag: own_etag.as_ref().map_or(options.etag, |tag| Some(tag.as_bytes())).unwrap_or(b""),
        last_modified: match options.last_modified {
            Some(text) => conditions::date(text),
            None => Some(modified),
        },
        is_date_strong: options.last_modified.is_none() && settled,
    };
    let outcome = conditions::evaluate(request, &validators);
    let mut response = match outcome {
        Precondition::Failed => return refused(StatusCode::PRECONDITION_FAILED),
        Precondition::NotModified => FileResponse {
            status: StatusCode::NOT_MODIFIED,
            fields: Vec::new(),
            content: FileContent::Nothing,
        },
        Precondition::Send { ranges } => {
            let wanted = ranges && options.ranges && *method == Method::GET;
            match selection(request, file.len, wanted) {
                Selection::Whole => FileResponse {
                    status: StatusCode::OK,
                    fields: representation(options),
                    content: whole,
                },
                Selection::One(range) => single(range, file.len, options),
                Selection::Many(ranges) => multipart(&ranges, file.len, options),
                Selection::Unsatisfiable => {
                    let mut response = refused(StatusCode::RANGE_NOT_SATISFIABLE);
                    let range = format!("bytes */{}", file.len).into_bytes();
                    response.fields.push((b"content-range", range));
                    return response;
                }
            }
        }
    };
    response.fields.extend(own_etag.map(|tag| (&b"etag"[..], tag.into_bytes())));
    response.fields.extend(own_date.map(|date| (&b"last-modified"[..], date.into_bytes())));
    if options.ranges && response.status != StatusCode::NOT_MODIFIED {
        response.fields.push((b"accept-ranges", b"bytes".to_vec()));
    }
    response
}

/// The fields of the representation (RFC 9110, 8).
fn representation(options: &FileOptions<'_>) -> Vec<FileField> {
    let mut fields: Vec<FileField> = Vec::with_capacity(8);
    fields.extend(options.media_type.map(|media_type| (&b"content-type"[..], media_type.to_vec())));
    let coding = options.coding.map(|coding| coding.name().as_bytes().to_vec());
    fields.extend(coding.map(|coding| (&b"content-encoding"[..], coding)));
    fields
}

/// A strong entity tag (RFC 9110, 8.8.3), as long as nobody may be writing to the file.
fn entity_tag(file: &FileFacts, settled: bool) -> String {
    let weak = if settled { "" } else { "W/" };
    format!("{weak}\"{:x}-{:x}-{:x}\"", file.inode, file.modified, file.len)
}

/// Seconds since 1970 as HTTP has them (RFC 9110, 5.6.7).
fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn selection(request: &Fields, len: u64, wanted: bool) -> Selection {
    let mut lines = request.get_all(b"range");
    match (lines.next(), lines.next()) {
        (Some(range), None) if wanted => ranges::select(range, len),
        // Several lines are no `Range` that means anything.
        _ => Selection::Whole,
    }
}

fn single(range: ByteRange, len: u64, options: &FileOptions<'_>) -> FileResponse {
    let mut fields = representation(options);
    fields.push((b"content-range", range.content_range(len).into_bytes()));
    FileResponse {
        status: StatusCode::PARTIAL_CONTENT,
        fields,
        content: FileContent::Range { offset: range.first, len: range.len() },
    }
}

fn multipart(ranges: &[ByteRange], len: u64, options: &FileOptions<'_>) -> FileResponse {
    // Nobody who has written the file can have known it.
    let random = || RandomState::new().build_hasher().finish();
    let boundary = format!("{:016x}{:016x}", random(), random());
    let part = |range: &ByteRange| {
        let mut head = format!("\r\n--{boundary}\r\n").into_bytes();
        if let Some(media_type) = options.media_type {
            head.extend([b"Content-Type: ", media_type, b"\r\n"].concat());
        }
        let range_line = format!("Content-Range: {}\r\n\r\n", range.content_range(len));
        head.extend(range_line.into_bytes());
        (head.into(), range.first, range.len())
    };
    let mut media_type = String::from("multipart/byteranges; boundary=");
    // Writing to a string does not fail.
    let _ = media_type.write_str(&boundary);
    let of_all = FileOptions { media_type: Some(media_type.as_bytes()), ..*options };
    FileResponse {
        status: StatusCode::PARTIAL_CONTENT,
        fields: representation(&of_all),
        content: FileContent::Multipart {
            parts: ranges.iter().map(part).collect(),
            end: format!("\r\n--{boundary}--\r\n").into(),
        },
    }
}

/// The answer to a request that is not met, in a few words.
fn refused(status: StatusCode) -> FileResponse {
    let (head, text) = plain_response(status);
    let media_type = head.fields.get(b"content-type").unwrap_or_default().to_vec();
    let fields = vec![(&b"content-type"[..], media_type)];
    FileResponse { status, fields, content: FileContent::Text(text) }
}
