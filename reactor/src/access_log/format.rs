//! [`Format`]: how a line is made of a record.

use wire::limits::ACCESS_LOG_FIELD_BYTES_MAX;

use super::fields::{Field, FieldValue, FieldVisitor};
use super::room::{LogLines, Room};
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
    pub(super) fn append(&self, lines: &mut LogLines, record: &Record, stamp: &Stamp) {
        match self {
            Self::Combined => {
                lines.append(LINE_BYTES_USUAL, |line| combined(line, record, stamp));
            }
            Self::Json => json(lines, record, &stamp.iso),
            Self::Pieces(pieces) => {
                lines.append(LINE_BYTES_USUAL, |line| {
                    for piece in pieces {
                        match piece {
                            FormatPiece::Text(text) => line.put(text.as_bytes()),
                            FormatPiece::Field(field) => plain(line, &field.of(record, &stamp.iso)),
                        }
                    }
                    line.put(b"\n");
                });
            }
        }
    }
}

/// A time, as the formats have it.
#[derive(Debug)]
pub(super) struct Stamp {
    /// ISO 8601.
    pub iso: [u8; 24],
    /// As `combined` has it.
    pub common: String,
    millis: Option<u64>,
}

impl Default for Stamp {
    fn default() -> Self {
        Self { iso: *b"1970-01-01T00:00:00.000Z", common: String::new(), millis: None }
    }
}

impl Stamp {
    /// The time of this many microseconds since 1970. The text is made once a second, but for its end.
    pub fn set(&mut self, micros: u64) {
        let millis = micros / 1000;
        if self.millis == Some(millis) {
            return;
        }
        let second = millis / 1000;
        if self.millis.is_none_or(|before| before / 1000 != second) {
            self.begin_second(second);
        }
        self.millis = Some(millis);
        let digit = |value: u64| b'0' + (value % 10) as u8;
        self.iso[20..23].copy_from_slice(&[digit(millis / 100), digit(millis / 10), digit(millis)]);
    }

    fn begin_second(&mut self, second: u64) {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
        // "Sun, 06 Nov 1994 08:49:37 GMT".
        let date = httpdate::fmt_http_date(time);
        let (day, month, year, clock) = (&date[5..7], &date[8..11], &date[12..16], &date[17..25]);
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let number = MONTHS.find(month).unwrap_or_default() / 3 + 1;
        let iso = format!("{year}-{number:02}-{day}T{clock}.000Z");
        if let Ok(iso) = iso.as_bytes().try_into() {
            self.iso = iso;
        }
        self.common = format!("{day}/{month}/{year}:{clock} +0000");
    }
}

fn combined(line: &mut Room<'_>, record: &Record, stamp: &Stamp) {
    plain(line, &Field::Client.of(record, &stamp.iso));
    line.put(b" - - [");
    line.put(stamp.common.as_bytes());
    line.put(b"] \"");
    match &record.method {
        Some(method) => {
            line.put(method.as_str().as_bytes());
            line.put(b" ");
            // A query counts with its path.
            escape(line, cut(&record.path));
            if let Some(query) = &record.query {
                line.put(b"?");
                escape(line, cut(query));
            }
            line.put(b" ");
            line.put(record.version.map_or("-", |version| version.as_str()).as_bytes());
        }
        None => line.put(b"-"),
    }
    // As nginx has it: 000 where there was no status.
    let status = record.status.map_or(0, |status| status.as_u16());
    line.format(format_args!("\" {status:03} {} \"", record.content));
    plain(line, &Field::Referer.of(record, &stamp.iso));
    line.put(b"\" \"");
    plain(line, &Field::UserAgent.of(record, &stamp.iso));
    line.put(b"\"\n");
}

fn json(lines: &mut LogLines, record: &Record, iso: &[u8; 24]) {
    let line = lines.append(LINE_BYTES_USUAL, |line| {
        let mut json = Json(std::mem::take(line));
        Field::visit(record, iso, &mut json);
        *line = json.0;
        line.put(b"}\n");
    });
    // There is always a first one: the time.
    line[0] = b'{';
}

/// Appends fields to a JSON object.
struct Json<'a>(Room<'a>);

impl FieldVisitor for Json<'_> {
    #[inline(always)]
    fn field(&mut self, key: &'static str, value: FieldValue<'_>) {
        let Self(line) = self;
        if matches!(value, FieldValue::None) {
            return;
        }
        line.put(key.as_bytes());
        match value {
            FieldValue::None => {}
            FieldValue::Text(text) => line.quoted(text),
            FieldValue::Own(text) => line.string(text.as_bytes()),
            FieldValue::Address(ip) => {
                line.put(b"\"");
                line.address(ip);
                line.put(b"\"");
            }
            FieldValue::Bytes(bytes) => line.string(cut(bytes)),
            FieldValue::Number(value) => line.number(value),
            FieldValue::Time(time) => line.seconds(time),
        }
    }
}

/// Room that is made for a line: most fit.
const LINE_BYTES_USUAL: usize = 1 << 10;

/// A value as text; `-` where there is none.
fn plain(line: &mut Room<'_>, value: &FieldValue<'_>) {
    match value {
        FieldValue::None => line.put(b"-"),
        FieldValue::Text(text) => line.put(text),
        FieldValue::Own(text) => line.put(text.as_bytes()),
        FieldValue::Address(ip) => line.address(*ip),
        FieldValue::Bytes(bytes) => escape(line, cut(bytes)),
        FieldValue::Number(value) => line.number(*value),
        FieldValue::Time(time) => line.seconds(*time),
    }
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(ACCESS_LOG_FIELD_BYTES_MAX)]
}

/// As nginx does: nothing that a client sends can end a field or a line.
fn escape(line: &mut Room<'_>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => line.format(format_args!("\\x{byte:02X}")),
            _ => line.put(&[byte]),
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
        let mut lines = LogLines::default();
        Format::parse(format).unwrap().append(&mut lines, record, &stamp);
        String::from_utf8(lines.text().to_vec()).unwrap()
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
