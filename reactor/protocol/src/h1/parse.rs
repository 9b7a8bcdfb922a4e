//! From the bytes of a head to its meaning.
//!
//! [`Scan`] finds the end of a head or of trailers while they arrive and holds their limits;
//! [`head`] and [`trailers`] parse what is complete. Field lines go through httparse, which refuses
//! white space before the colon, folded lines, control characters and names that are no tokens. It
//! tolerates lines that end in a bare LF; those are refused by the scan before.

use bytes::{Bytes, BytesMut};
use http::Method;
use httparse::{EMPTY_HEADER, Header, Status};
use wire::fields::FieldSpan;
use wire::limits::FIELD_NAME_BYTES_MAX;
use wire::{Fields, FieldsBuilder, Scheme, Version};

use super::body::Framing;
use super::fields::Meaning;
use super::target::{self, Target, TargetPath};
use crate::error::Fault;
use crate::message;
use crate::settings::HttpSettings;

/// How far a head or trailers have been searched for their end.
#[derive(Debug)]
pub struct Scan {
    /// Everything before has been searched.
    searched: usize,
    /// Start of the line that is incomplete.
    line: usize,
    /// End of the request line, CRLF included; `None` while it is incomplete.
    fields: Option<usize>,
    /// Field lines that are complete.
    lines: usize,
}

/// Where a complete head, or complete trailers, end.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Length in bytes, with the empty line.
    pub len: usize,
    /// Where field lines begin.
    pub fields: usize,
    /// Number of field lines.
    pub lines: usize,
}

impl Scan {
    /// Of a request's head.
    pub fn head() -> Self {
        Self { searched: 0, line: 0, fields: None, lines: 0 }
    }

    /// Of trailers.
    pub fn trailers() -> Self {
        Self { fields: Some(0), ..Self::head() }
    }

    /// Where field lines begin; `None` while the request line is incomplete.
    pub fn fields(&self) -> Option<usize> {
        self.fields
    }

    /// Searches what is new in `input`; it begins where the scan began.
    pub fn search(
        &mut self,
        input: &[u8],
        settings: &HttpSettings,
    ) -> Result<Option<Extent>, Fault> {
        let from = self.searched;
        self.searched = input.len();
        for feed in memchr::memchr_iter(b'\n', &input[from..]).map(|at| from + at) {
            // RFC 9112, 2.2 allows a bare LF to end a line; who allows it disagrees with who does
            // not, and on that smuggling lives.
            if feed == self.line || input[feed - 1] != b'\r' {
                return Err(Fault::LineEnd);
            }
            let line_len = feed - 1 - self.line;
            match self.fields {
                None => {
                    check_request_line_len(line_len, settings)?;
                    self.fields = Some(feed + 1);
                }
                Some(fields) if line_len == 0 => {
                    check_fields_len(self.line - fields, settings)?;
                    return Ok(Some(Extent { len: feed + 1, fields, lines: self.lines }));
                }
                Some(_) => {
                    self.lines += 1;
                    if self.lines > settings.header_count_max {
                        return Err(Fault::FieldsTooLarge);
                    }
                }
            }
            self.line = feed + 1;
        }
        // What is incomplete may still get its last line end: one CR, or CR LF and CR LF.
        match self.fields {
            None => check_request_line_len(input.len().saturating_sub(1), settings)?,
            Some(fields) => check_fields_len((input.len() - fields).saturating_sub(2), settings)?,
        }
        Ok(None)
    }
}

fn check_request_line_len(len: usize, settings: &HttpSettings) -> Result<(), Fault> {
    if len <= settings.request_line_bytes_max { Ok(()) } else { Err(Fault::RequestLineTooLong) }
}

fn check_fields_len(len: usize, settings: &HttpSettings) -> Result<(), Fault> {
    if len <= settings.header_bytes_max { Ok(()) } else { Err(Fault::FieldsTooLarge) }
}

/// A request's head, parsed.
#[derive(Debug)]
pub struct ParsedHead {
    /// The method.
    pub method: Method,
    /// The path of the target.
    pub path: Bytes,
    /// The query of the target.
    pub query: Option<Bytes>,
    /// The scheme of a target in absolute-form.
    pub scheme: Option<Scheme>,
    /// The version, at most HTTP/1.1.
    pub version: Version,
    /// Field lines.
    pub fields: Fields,
    /// How the content is framed.
    pub framing: Framing,
    /// The client would like to go on with this connection.
    pub keep_alive: bool,
    /// The client waits for a 100 before it sends the content.
    pub expects_continue: bool,
}

/// The parts of a request line.
struct RequestLine {
    method: Method,
    target: Target,
    target_start: usize,
    version: Version,
}

/// Checks a request line while its field lines are still missing; `line` is without CRLF.
pub fn check_request_line(line: &[u8]) -> Result<(), Fault> {
    request_line(line).map(drop)
}

/// `method SP request-target SP HTTP-version` (RFC 9112, 3), by single spaces.
fn request_line(line: &[u8]) -> Result<RequestLine, Fault> {
    let method_end = memchr::memchr(b' ', line).ok_or(Fault::RequestLine)?;
    let method = &line[..method_end];
    if !message::is_token(method) {
        return Err(Fault::Method);
    }
    let method = Method::from_bytes(method).map_err(|_| Fault::Method)?;
    let target_start = method_end + 1;
    let rest = &line[target_start..];
    let target_end = memchr::memchr(b' ', rest).ok_or(Fault::RequestLine)?;
    // The version first: the target of a version that is not ours may be anything.
    let version = version(&rest[target_end + 1..])?;
    let target = target::parse(&method, &rest[..target_end])?;
    Ok(RequestLine { method, target, target_start, version })
}

/// RFC 9112, 2.3. A higher minor version is served as 1.1 (RFC 9110, 2.5).
fn version(text: &[u8]) -> Result<Version, Fault> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(Fault::Version),
        _ => Err(Fault::RequestLine),
    }
}

/// Parses a complete head. Its text is copied once, and everything else points into the copy.
pub fn head(text: &[u8], extent: Extent) -> Result<ParsedHead, Fault> {
    let line = request_line(&text[..extent.fields - 2])?;
    let mut block = BytesMut::from(text);
    let (mut spans, meaning) = field_lines(&block, extent)?;
    let authority = line.target.authority.clone();
    let authority =
        authority.map(|range| line.target_start + range.start..line.target_start + range.end);
    let host = meaning.host(line.version, authority.is_some())?;
    if let Some(authority) = authority {
        // RFC 9112, 3.2.2: the target's authority replaces what Host says.
        match host {
            Some(index) => {
                spans[index].value = authority.start as u32;
                spans[index].value_len = authority.len() as u32;
            }
            None => {
                spans.push(span(block.len()..block.len() + 4, authority));
                block.extend_from_slice(b"host");
            }
        }
    }
    for span in &spans {
        let name = span.name as usize;
        block[name..name + usize::from(span.name_len)].make_ascii_lowercase();
    }
    let framing = meaning.framing(line.version)?;
    let block = block.freeze();
    let sent = |range: std::ops::Range<usize>| {
        block.slice(line.target_start + range.start..line.target_start + range.end)
    };
    Ok(ParsedHead {
        method: line.method,
        path: match line.target.path {
            TargetPath::Sent(range) => sent(range),
            TargetPath::Implied(path) => Bytes::from_static(path),
        },
        query: line.target.query.map(sent),
        scheme: line.target.scheme,
        version: line.version,
        keep_alive: meaning.keep_alive(line.version),
        expects_continue: meaning.expects_continue(line.version)?,
        framing,
        fields: Fields::from_block(block, spans).ok_or(Fault::FieldLine)?,
    })
}

/// Field lines as spans of `block`, and what they say about framing and connection.
fn field_lines(block: &[u8], extent: Extent) -> Result<(Vec<FieldSpan>, Meaning), Fault> {
    let mut spans = Vec::with_capacity(extent.lines + 1);
    let mut meaning = Meaning::default();
    let offset = |text: &[u8]| text.as_ptr() as usize - block.as_ptr() as usize;
    with_lines(&block[extent.fields..extent.len], extent.lines, |line| {
        let (name, value) = (offset(line.name.as_bytes()), offset(line.value));
        meaning.read(spans.len(), line.name.as_bytes(), line.value)?;
        spans.push(span(name..name + line.name.len(), value..value + line.value.len()));
        Ok(())
    })?;
    Ok((spans, meaning))
}

fn span(name: std::ops::Range<usize>, value: std::ops::Range<usize>) -> FieldSpan {
    FieldSpan {
        name: name.start as u32,
        name_len: name.len() as u16,
        value: value.start as u32,
        value_len: value.len() as u32,
    }
}

/// Parses complete trailers. Fields that must not be there are dropped (RFC 9110, 6.5.1).
pub fn trailers(text: &[u8], extent: Extent) -> Result<Option<Fields>, Fault> {
    if extent.lines == 0 {
        return Ok(None);
    }
    let mut fields = FieldsBuilder::with_capacity(extent.lines, text.len());
    with_lines(text, extent.lines, |line| {
        let name = line.name.to_ascii_lowercase();
        if message::may_trail(name.as_bytes()) {
            fields.push(name.as_bytes(), line.value);
        }
        Ok(())
    })?;
    let fields = fields.build();
    Ok((!fields.is_empty()).then_some(fields))
}

/// Field lines of an ordinary request; more of them cost an allocation.
const LINES_INLINE: usize = 32;

/// Calls `each` for every one of the `lines` field lines in `text`, which ends with an empty line.
fn with_lines<'t>(
    text: &'t [u8],
    lines: usize,
    mut each: impl FnMut(&Header<'t>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut inline = [EMPTY_HEADER; LINES_INLINE];
    let mut heap = Vec::new();
    let slots = match inline.get_mut(..lines) {
        Some(slots) => slots,
        None => {
            heap.resize(lines, EMPTY_HEADER);
            &mut heap[..]
        }
    };
    match httparse::parse_headers(text, slots) {
        Ok(Status::Complete((used, parsed))) if used == text.len() && parsed.len() == lines => {
            for line in parsed {
                if line.name.len() > FIELD_NAME_BYTES_MAX {
                    return Err(Fault::FieldsTooLarge);
                }
                each(line)?;
            }
            Ok(())
        }
        _ => Err(Fault::FieldLine),
    }
}
