//! [`Format`]: how a line is made of a record.

use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

use wire::limits::ACCESS_LOG_FIELD_BYTES_MAX;

use super::fields::{Field, FieldValue, FieldVisitor};
use crate::record::Record;

/// How lines are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// As Apache's and nginx's `combined`.
    Combined,
    /// A JSON object with all fields.
    Json,
    /// Text with fields in it.
    Pieces(Vec<FormatPiece>),
}

/// A part of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatPiece {
    /// Text, as it is.
    Text(String),
    /// The value of a field.
    Field(Field),
}

/// A format that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// There is no field of this name.
    Unknown(String),
    /// A brace that nothing closes, or a control character.
    Malformed,
}

impl Format {
    /// The format of this name, or with these fields.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        match text {
            "combined" => return Ok(Self::Combined),
            "json" => return Ok(Self::Json),
            _ if text.chars().any(|c| c.is_control() && c != '\t') => {
                return Err(FormatError::Malformed);
            }
            _ => {}
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or(FormatError::Malformed)?;
            let field = Field::ALL.iter().find(|field| field.name() == name);
            let field = *field.ok_or_else(|| FormatError::Unknown(name.to_owned()))?;
            if !before.is_empty() {
                pieces.push(FormatPiece::Text(before.to_owned()));
            }
            pieces.push(FormatPiece::Field(field));
            rest = behind;
        }
        if pieces.is_empty() {
            // A word that is none of the two: nobody wants the same line for each request.
            return Err(FormatError::Unknown(text.to_owned()));
        }
        if !rest.is_empty() {
            pieces.push(FormatPiece::Text(rest.to_owned()));
        }
        Ok(Self::Pieces(pieces))
    }

    /// The names of all fields.
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        Field::ALL.iter().map(|field| field.name())
    }

    /// Whether its lines have the id of the request.
    pub fn has_request_id(&self) -> bool {
        match self {
            Self::Combined => false,
            Self::Json => true,
            Self::Pieces(pieces) => {
                pieces.iter().any(|piece| matches!(piece, FormatPiece::Field(Field::RequestId)))
            }
        }
    }

    /// Whether it reads fields of requests.
    pub(super) fn reads_fields(&self) -> bool {
        let read = |piece: &FormatPiece| {
            matches!(piece, FormatPiece::Field(Field::Host | Field::Referer | Field::UserAgent))
        };
        match self {
            Self::Combined | Self::Json => true,
            Self::Pieces(pieces) => pieces.iter().any(read),
        }
    }

    /// Appends the line of a record.
    pub(super) fn append(&self, line: &mut Vec<u8>, record: &Record, stamp: &Stamp) {
        match self {
            Self::Combined => combined(line, record, &stamp.common),
            Self::Json => json(line, record, &stamp.iso),
            Self::Pieces(pieces) => {
                for piece in pieces {
                    match piece {
                        FormatPiece::Text(text) => line.extend_from_slice(text.as_bytes()),
                        FormatPiece::Field(field) => plain(line, &field.of(record, &stamp.iso)),
                    }
                }
            }
        }
        line.push(b'\n');
    }
}

/// A time, as the formats have it.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    /// ISO 8601.
    pub iso: String,
    /// As `combined` has it.
    pub common: String,
    second: Option<u64>,
}

impl Stamp {
    /// The time of this many microseconds since 1970. The text is made once a second, but for its end.
    pub fn set(&mut self, micros: u64) {
        let second = micros / 1_000_000;
        if self.second != Some(second) {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
            // "Sun, 06 Nov 1994 08:49:37 GMT".
            let date = httpdate::fmt_http_date(time);
            let (day, month, year, clock) =
                (&date[5..7], &date[8..11], &date[12..16], &date[17..25]);
            const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
            let number = MONTHS.find(month).unwrap_or_default() / 3 + 1;
            self.iso = format!("{year}-{number:02}-{day}T{clock}.000Z");
            self.common = format!("{day}/{month}/{year}:{clock} +0000");
            self.second = Some(second);
        }
        let millis = micros / 1000 % 1000;
        let end = self.iso.len() - 4;
        self.iso.truncate(end);
        let digit = |value: u64| char::from(b'0' + (value % 10) as u8);
        self.iso.extend([digit(millis / 100), digit(millis / 10), digit(millis), 'Z']);
    }
}

fn combined(line: &mut Vec<u8>, record: &Record, time: &str) {
    plain(line, &Field::Client.of(record, ""));
    line.extend_from_slice(b" - - [");
    line.extend_from_slice(time.as_bytes());
    line.extend_from_slice(b"] \"");
    match &record.method {
        Some(method) => {
            line.extend_from_slice(method.as_str().as_bytes());
            line.push(b' ');
            // A query counts with its path.
            escape(line, cut(&record.path));
            if let Some(query) = &record.query {
                line.push(b'?');
                escape(line, cut(query));
            }
            line.push(b' ');
            line.extend_from_slice(
                record.version.map_or("-", |version| version.as_str()).as_bytes(),
            );
        }
        None => line.push(b'-'),
    }
    // As nginx has it: 000 where there was no status.
    let status = record.status.map_or(0, |status| status.as_u16());
    let _ = write!(line, "\" {status:03} {} \"", record.content);
    plain(line, &Field::Referer.of(record, ""));
    line.extend_from_slice(b"\" \"");
    plain(line, &Field::UserAgent.of(record, ""));
    line.push(b'"');
}

fn json(line: &mut Vec<u8>, record: &Record, iso: &str) {
    line.reserve(LINE_BYTES_USUAL);
    let begin = line.len();
    Field::visit(record, iso, &mut Json(line));
    // There is always a first one: the time.
    line[begin] = b'{';
    line.push(b'}');
}

/// Appends fields to a JSON object.
struct Json<'a>(&'a mut Vec<u8>);

impl FieldVisitor for Json<'_> {
    #[inline(always)]
    fn field(&mut self, key: &'static str, value: FieldValue<'_>) {
        let Self(line) = self;
        if matches!(value, FieldValue::None) {
            return;
        }
        line.extend_from_slice(key.as_bytes());
        match value {
            FieldValue::None => {}
            FieldValue::Text(text) => {
                line.push(b'"');
                line.extend_from_slice(text);
                line.push(b'"');
            }
            FieldValue::Own(text) => string(line, text.as_bytes()),
            FieldValue::Address(ip) => {
                line.push(b'"');
                address(line, ip);
                line.push(b'"');
            }
            FieldValue::Bytes(bytes) => string(line, cut(bytes)),
            FieldValue::Number(value) => number(line, value),
            FieldValue::Time(time) => seconds(line, time),
        }
    }
}

/// Room that is made for a line in one go.
const LINE_BYTES_USUAL: usize = 1 << 10;

/// A string of JSON. Most have nothing to be escaped, which is found out in a fraction of the time that the
/// escaping takes.
fn string(line: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        line.push(b'"');
        line.extend_from_slice(text);
        line.push(b'"');
        return;
    }
    // Memory takes it.
    let _ = serde_json::to_writer(line, &String::from_utf8_lossy(text));
}

/// Whether a text stands for itself in JSON: visible ASCII without quotation marks and backslashes. All bytes are
/// looked at, so that many are at once.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\');
    text.iter().fold(true, |all, byte| all & plain(*byte))
}

/// A number in decimal digits.
fn number(line: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        // Most of those are.
        Ok(digit @ 0..10) => line.push(b'0' + digit),
        _ => line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Seconds with six digits behind the point.
fn seconds(line: &mut Vec<u8>, time: Duration) {
    number(line, time.as_secs());
    let mut text = *b".000000";
    let mut rest = time.subsec_micros();
    for digit in text[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    line.extend_from_slice(&text);
}

fn address(line: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for (nth, octet) in ip.octets().into_iter().enumerate() {
                if nth > 0 {
                    line.push(b'.');
                }
                number(line, octet.into());
            }
        }
        IpAddr::V6(ip) => {
            let _ = write!(line, "{ip}");
        }
    }
}

/// A value as text; `-` where there is none.
fn plain(line: &mut Vec<u8>, value: &FieldValue<'_>) {
    match value {
        FieldValue::None => line.push(b'-'),
        FieldValue::Text(text) => line.extend_from_slice(text),
        FieldValue::Own(text) => line.extend_from_slice(text.as_bytes()),
        FieldValue::Address(ip) => address(line, *ip),
        FieldValue::Bytes(bytes) => escape(line, cut(bytes)),
        FieldValue::Number(value) => number(line, *value),
        FieldValue::Time(time) => seconds(line, *time),
    }
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(ACCESS_LOG_FIELD_BYTES_MAX)]
}

/// As nginx does: nothing that a client sends can end a field or a line.
fn escape(line: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                let _ = write!(line, "\\x{byte:02X}");
            }
            _ => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;

    fn line(format: &str, record: &Record) -> String {
        let mut stamp = Stamp::default();
        stamp.set(784_111_777_123_456);
        let mut line = Vec::new();
        Format::parse(format).unwrap().append(&mut line, record, &stamp);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn combined_is_what_analyzers_read() {
        assert_eq!(
            line("combined", &record()),
            "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 5 \"-\" \"curl\"\n"
        );
    }

    #[test]
    fn json_is_one_object_with_numbers_as_numbers() {
        let line = line("json", &record());
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["time"], "1994-11-06T08:49:37.123Z");
        assert_eq!((&object["status"], &object["body_bytes"]), (&200.into(), &5.into()));
        assert_eq!((&object["outcome"], &object["path"]), (&"complete".into(), &"/a".into()));
        assert!(object.get("tls").is_none() && object["total_time"].is_f64());
    }

    #[test]
    fn values_are_written_whole() {
        let mut line = Vec::new();
        for time in [Duration::ZERO, Duration::new(12, 42_999), Duration::from_micros(1_999_999)] {
            seconds(&mut line, time);
            line.push(b' ');
        }
        for ip in ["192.0.2.7", "255.255.255.255", "2001:db8::1"] {
            address(&mut line, ip.parse().unwrap());
            line.push(b' ');
        }
        for value in [0, 9, 10, u64::MAX] {
            number(&mut line, value);
            line.push(b' ');
        }
        seconds(&mut line, Duration::from_secs(u64::MAX));
        let expected = "0.000000 12.000042 1.999999 192.0.2.7 255.255.255.255 2001:db8::1 \
                        0 9 10 18446744073709551615 18446744073709551615.000000";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn every_string_of_json_is_what_it_was() {
        let all: Vec<u8> = (0..=0xff).collect();
        let mut texts: Vec<&[u8]> = all.chunks(1).collect();
        texts.extend([&b""[..], b"/a/b?c=d%20e~", b"caf\xc3\xa9 \"x\" \\", &all]);
        for text in texts {
            let mut line = Vec::new();
            string(&mut line, text);
            let read: String = serde_json::from_slice(&line).unwrap();
            assert_eq!(read, String::from_utf8_lossy(text), "{text:?}");
        }
    }

    #[test]
    fn fields_stand_where_the_format_has_them() {
        assert_eq!(line("{status}|{worker} {method}", &record()), "200|- GET\n");
        for (format, error) in [
            ("{stauts}", FormatError::Unknown("stauts".into())),
            ("combine", FormatError::Unknown("combine".into())),
            ("{status", FormatError::Malformed),
            ("{status}\n", FormatError::Malformed),
        ] {
            assert_eq!(Format::parse(format), Err(error));
        }
    }

    #[test]
    fn a_client_cannot_forge_a_line() {
        let mut record = record();
        record.user_agent = Some(bytes::Bytes::from_static(b"a\"\n127.0.0.1 \\x\x00\x1b[0m\xff"));
        for format in ["combined", "{user_agent}"] {
            let line = line(format, &record);
            assert!(line.contains("a\\x22\\x0A127.0.0.1 \\x5Cx\\x00\\x1B[0m\\xFF"), "{line}");
            assert_eq!(line.matches('\n').count(), 1);
        }
        let line = line("json", &record);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    }

    #[test]
    fn what_a_client_sends_is_cut() {
        let mut record = record();
        record.path = vec![b'a'; 1 << 20].into();
        for format in ["combined", "json", "{path}"] {
            assert!(line(format, &record).len() < 2 * ACCESS_LOG_FIELD_BYTES_MAX, "{format}");
        }
    }
}
