//! Rules about messages that hold in every version of HTTP.

use bytes::Bytes;
use http::StatusCode;
use wire::alphabet::alphabet;
use wire::{BodyLength, Fields, Reason, ResponseHead, Version};

use super::error::Fault;
use super::settings::HttpSettings;

/// What of a request decides how its response looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestFacts {
    /// The method is HEAD: the response has no content (RFC 9110, 9.3.2).
    pub head_only: bool,
    /// It asks for an upgrade of its stream.
    pub upgrade: bool,
    /// The request's version.
    pub version: Version,
}

/// Which content may follow a response head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentFraming {
    /// None; what the handler sends is dropped.
    Nothing,
    /// Exactly so many bytes.
    Exactly(u64),
    /// Until the handler ends it.
    Streamed,
}

/// How a final response is framed, decided once for all versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The content that follows.
    pub content: ContentFraming,
    /// Value of the `Content-Length` field; `None`: no such field.
    pub content_length: Option<u64>,
    /// The handler said `Connection: close`.
    pub close: bool,
    /// Fields that the server does not add: the handler has set them itself, or the client need not
    /// be told.
    pub omitted: Omitted,
}

/// A field that the server adds to responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// `Date` (RFC 9110, 6.6.1).
    Date = 1,
    /// `Server` (RFC 9110, 10.2.4).
    Server = 2,
    /// `Alt-Svc` (RFC 7838, 3).
    AltSvc = 4,
}

/// A set of such fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Omitted(u8);

impl Omitted {
    /// Puts a field into the set.
    pub fn insert(&mut self, field: Added) {
        self.0 |= field as u8;
    }

    /// Whether a field is in the set.
    pub fn contains(self, field: Added) -> bool {
        self.0 & field as u8 != 0
    }
}

impl Shape {
    /// Whether the server adds `Date`.
    pub fn adds_date(&self) -> bool {
        !self.omitted.contains(Added::Date)
    }

    /// Value of the `Server` field (RFC 9110, 10.2.4).
    pub fn server<'a>(&self, settings: &'a HttpSettings) -> Option<&'a Bytes> {
        settings.server.as_ref().filter(|_| !self.omitted.contains(Added::Server))
    }

    /// Value of the `Alt-Svc` field (RFC 7838, 3).
    pub fn alt_svc<'a>(&self, settings: &'a HttpSettings) -> Option<&'a Bytes> {
        settings.alt_svc.as_ref().filter(|_| !self.omitted.contains(Added::AltSvc))
    }
}

/// Decides how a final response is framed, and refuses one that cannot be sent.
pub fn shape(request: &RequestFacts, head: &ResponseHead) -> Result<Shape, Fault> {
    let mut declared = None;
    let mut shape = Shape {
        content: ContentFraming::Nothing,
        content_length: None,
        close: false,
        omitted: Omitted::default(),
    };
    if request.version == Version::Http3 {
        // Who speaks HTTP/3 has found it.
        shape.omitted.insert(Added::AltSvc);
    }
    for (name, value) in head.fields.iter() {
        check_field(name, value)?;
        match name {
            b"content-length" => {
                let length = content_length(value).ok_or(Fault::ResponseLength)?;
                if declared.replace(length).is_some() {
                    return Err(Fault::ResponseLength);
                }
            }
            b"connection" => shape.close |= tokens(value).any(|t| t.eq_ignore_ascii_case(b"close")),
            b"date" => shape.omitted.insert(Added::Date),
            b"server" => shape.omitted.insert(Added::Server),
            b"alt-svc" => shape.omitted.insert(Added::AltSvc),
            _ => {}
        }
    }
    (shape.content, shape.content_length) = framing(request, head, declared)?;
    Ok(shape)
}

/// Content and `Content-Length` (RFC 9110, 6.4.1 and 8.6).
fn framing(
    request: &RequestFacts,
    head: &ResponseHead,
    declared: Option<u64>,
) -> Result<(ContentFraming, Option<u64>), Fault> {
    match head.status {
        // A 204 must not have the field (8.6).
        StatusCode::NO_CONTENT => return Ok((ContentFraming::Nothing, None)),
        // A 304 may tell the length of what it did not send; only the handler knows that.
        StatusCode::NOT_MODIFIED => return Ok((ContentFraming::Nothing, declared)),
        // A 205 has no content, and says so (15.3.6).
        StatusCode::RESET_CONTENT => return Ok((ContentFraming::Nothing, Some(0))),
        _ => {}
    }
    match (head.length, declared) {
        // The length that GET would have had. An empty answer to HEAD tells nothing about GET's.
        (BodyLength::Known(length), None) if request.head_only => {
            Ok((ContentFraming::Nothing, (length > 0).then_some(length)))
        }
        (_, declared) if request.head_only => Ok((ContentFraming::Nothing, declared)),
        (BodyLength::Known(length), Some(declared)) if length != declared => {
            Err(Fault::ResponseLength)
        }
        (BodyLength::Known(length), _) | (BodyLength::Streamed, Some(length)) => {
            Ok((ContentFraming::Exactly(length), Some(length)))
        }
        (BodyLength::Streamed, None) => Ok((ContentFraming::Streamed, None)),
    }
}

/// Refuses a field that would not be read back as it is (RFC 9110, 5.1 and 5.5): CR, LF and NUL
/// above all, because they end a field line early.
pub fn check_field(name: &[u8], value: &[u8]) -> Result<(), Fault> {
    if is_token(name) && is_field_text(value) { Ok(()) } else { Err(Fault::ResponseField) }
}

/// Whether a field that a handler set goes on the wire as it is. Framing and the connection are the
/// protocol's business (RFC 9110, 7.6.1; RFC 9113, 8.2.2).
pub fn is_handlers_field(name: &[u8]) -> bool {
    !matches!(
        name,
        b"connection"
            | b"content-length"
            | b"keep-alive"
            | b"proxy-connection"
            | b"transfer-encoding"
            | b"upgrade"
    )
}

/// Whether a field may be a trailer: not if it frames, routes, authenticates or modifies the
/// request, or says how to read the content (RFC 9110, 6.5.1).
pub fn may_trail(name: &[u8]) -> bool {
    is_handlers_field(name)
        && !name.starts_with(b"content-")
        && !name.starts_with(b"if-")
        && !matches!(
            name,
            b"age"
                | b"authorization"
                | b"cache-control"
                | b"cookie"
                | b"date"
                | b"expect"
                | b"expires"
                | b"host"
                | b"location"
                | b"max-forwards"
                | b"pragma"
                | b"proxy-authenticate"
                | b"proxy-authorization"
                | b"range"
                | b"retry-after"
                | b"set-cookie"
                | b"te"
                | b"trailer"
                | b"vary"
                | b"warning"
                | b"www-authenticate"
        )
}

/// The protocol that a client of HTTP/1.1 would go on with (RFC 9110, 7.8): the first that it names.
/// `Connection` must name the field too, because whoever does not know it must drop it.
pub fn upgrade(version: Version, fields: &Fields) -> Option<Box<[u8]>> {
    let values = |wanted: &'static [u8]| {
        fields.iter().filter(move |(name, _)| *name == wanted).flat_map(|(_, value)| tokens(value))
    };
    let meant = values(b"connection").any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    let protocol = values(b"upgrade").next().filter(|_| meant && version >= Version::Http11)?;
    (!protocol.is_empty()).then(|| protocol.into())
}

/// The number in a `Content-Length` field: digits and nothing else (RFC 9110, 8.6).
pub fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The elements of a comma-separated list, without the white space around them (RFC 9110, 5.6.1).
pub fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Whether this is a token (RFC 9110, 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// Whether a token may contain this byte.
pub fn is_token_byte(byte: u8) -> bool {
    const TOKEN: [bool; 256] = alphabet(b"!#$%&'*+-.^_`|~");
    TOKEN[byte as usize]
}

/// Whether this can be a field value or a reason phrase: no control character but the tab.
pub fn is_field_text(bytes: &[u8]) -> bool {
    // No early exit: the loop is one that compilers turn into vector instructions.
    !bytes.iter().fold(false, |bad, byte| bad | (*byte < b' ' && *byte != b'\t') | (*byte == 0x7f))
}

/// The response that takes the place of one that cannot be had, with its content.
pub fn plain_response(status: StatusCode) -> (ResponseHead, Bytes) {
    let reason = status.canonical_reason().unwrap_or("Error");
    let content = Bytes::from(format!("{} {reason}\n", status.as_str()));
    let mut lines: Vec<(&[u8], &[u8])> = vec![(b"content-type", b"text/plain; charset=utf-8")];
    if status == StatusCode::SERVICE_UNAVAILABLE {
        lines.push((b"retry-after", b"1"));
    }
    let head = ResponseHead {
        status,
        reason: None,
        length: BodyLength::Known(content.len() as u64),
        fields: lines.into_iter().collect::<Fields>(),
        id_field: None,
    };
    (head, content)
}

/// Whether the client waits for 100 (RFC 9110, 10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// It does not, or has been told.
    No,
    /// It is told when the handler asks for content.
    WhenAsked,
}

/// The status that a response gets which breaks off before its head; `None`: nobody is there to
/// read one.
pub fn abort_status(reason: Reason) -> Option<StatusCode> {
    match reason {
        Reason::ClientGone | Reason::ClientStalled | Reason::ClientLeaving | Reason::Refused => {
            None
        }
        Reason::WorkerLost => Some(StatusCode::BAD_GATEWAY),
        Reason::HandlerFailed | Reason::Internal => Some(StatusCode::INTERNAL_SERVER_ERROR),
        Reason::Overloaded | Reason::Shutdown => Some(StatusCode::SERVICE_UNAVAILABLE),
        Reason::Unanswered => Some(StatusCode::GATEWAY_TIMEOUT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_length_is_digits_that_fit() {
        assert_eq!(content_length(b"0"), Some(0));
        assert_eq!(content_length(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["", "18446744073709551616", "-1", "+1", "1 ", "1,1", "0x1", "1_0", "1.0"] {
            assert_eq!(content_length(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn field_text_has_no_control_characters() {
        assert!(is_field_text(b"a b\tc \xff"));
        for bad in 0..=0x1fu8 {
            assert_eq!(is_field_text(&[b'a', bad]), bad == b'\t', "{bad:#x}");
        }
        assert!(!is_field_text(b"\x7f"));
    }

    fn framed(head_only: bool, status: u16, length: BodyLength, declared: &[u8]) -> Shape {
        let request = RequestFacts { head_only, upgrade: false, version: Version::Http11 };
        let fields = (!declared.is_empty()).then_some((&b"content-length"[..], declared));
        let status = StatusCode::from_u16(status).unwrap();
        let head = ResponseHead {
            status,
            reason: None,
            length,
            fields: fields.into_iter().collect(),
            id_field: None,
        };
        shape(&request, &head).unwrap()
    }

    #[test]
    fn an_alternative_is_told_unless_it_is_known() {
        let settings =
            HttpSettings { alt_svc: Some(Bytes::from_static(b"x")), ..HttpSettings::default() };
        let cases = [
            (Version::Http11, "", true),
            (Version::Http2, "", true),
            (Version::Http3, "", false),
            (Version::Http2, "clear", false),
        ];
        for (version, own, told) in cases {
            let request = RequestFacts { head_only: false, upgrade: false, version };
            let fields = (!own.is_empty()).then_some((&b"alt-svc"[..], own.as_bytes()));
            let fields = fields.into_iter().collect();
            let length = BodyLength::Known(0);
            let head = ResponseHead {
                status: StatusCode::OK,
                reason: None,
                length,
                fields,
                id_field: None,
            };
            let shape = shape(&request, &head).unwrap();
            assert_eq!(shape.alt_svc(&settings).is_some(), told, "{version:?} {own:?}");
        }
    }

    #[test]
    fn content_by_method_and_status() {
        use BodyLength::{Known, Streamed};
        use ContentFraming::{Exactly, Nothing};
        let cases = [
            (false, 200, Known(3), "", Exactly(3), Some(3)),
            (false, 200, Known(0), "", Exactly(0), Some(0)),
            (false, 200, Known(3), "3", Exactly(3), Some(3)),
            (false, 200, Streamed, "", ContentFraming::Streamed, None),
            (false, 200, Streamed, "5", Exactly(5), Some(5)),
            (true, 200, Known(3), "", Nothing, Some(3)),
            (true, 200, Known(0), "", Nothing, None),
            (true, 200, Known(0), "9", Nothing, Some(9)),
            (true, 200, Streamed, "", Nothing, None),
            (true, 200, Streamed, "9", Nothing, Some(9)),
            (false, 204, Known(3), "3", Nothing, None),
            (false, 205, Known(3), "", Nothing, Some(0)),
            (false, 304, Known(3), "", Nothing, None),
            (false, 304, Known(0), "7", Nothing, Some(7)),
        ];
        for (head_only, status, length, declared, content, content_length) in cases {
            let got = framed(head_only, status, length, declared.as_bytes());
            let case = format!("{head_only} {status} {length:?} {declared:?}");
            assert_eq!((got.content, got.content_length), (content, content_length), "{case}");
        }
    }
}
