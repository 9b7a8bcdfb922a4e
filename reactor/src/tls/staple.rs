//! OCSP responses (RFC 6960) that the server sends with its certificate (RFC 6066, 8), so that
//! clients need not ask the authority whether it was revoked.
//!
//! They come from a file, as the authority has signed them; clients check that. What is checked here
//! is what a mistake of the operator's would be: no OCSP response, or one for another certificate.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use boring::asn1::Asn1Time;
use boring::error::ErrorStack;
use boring::ssl::SslContextBuilder;
use boring::x509::X509Ref;

use log::Level;
use log::kv::Value;
use wire::event::{self, LogEvent};

use super::certificates::{RejectReason, TlsError};

/// Responses have one or two kilobytes, with the responder's certificates a few more.
const STAPLE_BYTES_MAX: u64 = 64 << 10;

const SECONDS_PER_DAY: i64 = 24 * 3600;

/// A response of the authority's, and how long it may be shown.
#[derive(Debug)]
pub(crate) struct Staple {
    response: Vec<u8>,
    /// In seconds since 1970-01-01 UTC; none when the authority sets no end.
    until: Option<i64>,
}

impl Staple {
    /// Reads a response for this certificate.
    pub(crate) fn load(
        file: &Path,
        leaf: &X509Ref,
        option: &'static str,
    ) -> Result<Arc<Self>, TlsError> {
        let refused = |reason| TlsError::new(option, Some(file), reason);
        let about = fs::metadata(file).map_err(|error| refused(RejectReason::Read(error)))?;
        if !about.is_file() || about.len() > STAPLE_BYTES_MAX {
            return Err(refused(RejectReason::NoStaple));
        }
        let response = fs::read(file).map_err(|error| refused(RejectReason::Read(error)))?;
        let status = parse(&response).ok_or_else(|| refused(RejectReason::NoStaple))?;
        if !is_serial(status.serial, leaf) {
            return Err(refused(RejectReason::StapleMismatch));
        }
        let until = status.until.and_then(unix_seconds);
        let staple = Self { response, until };
        if staple.is_over() {
            let file = file.display();
            event::log(
                Level::Warn,
                LogEvent::TlsStapleExpired,
                &[("file", Value::from_display(&file))],
                format_args!("{option}{file}: the OCSP response is out of date, and is not sent"),
            );
        }
        Ok(Arc::new(staple))
    }

    /// Clients that ask for it get it, as long as it is good.
    pub(crate) fn install(self: &Arc<Self>, to: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let staple = Arc::clone(self);
        to.set_status_callback(move |ssl| {
            // One that is out of date makes clients refuse the certificate.
            if staple.is_over() {
                return Ok(false);
            }
            ssl.set_ocsp_status(&staple.response)?;
            Ok(true)
        })
    }

    fn is_over(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.until.is_some_and(|until| until < now.as_secs() as i64)
    }
}

/// What an OCSP response says of a certificate (RFC 6960, 4.2.1).
#[derive(Debug, PartialEq, Eq)]
struct SingleResponse<'a> {
    /// The certificate's serial number, as an INTEGER of DER.
    serial: &'a [u8],
    /// `nextUpdate`, as text.
    until: Option<&'a [u8]>,
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`, explicit.
const FIRST: u8 = 0xa0;

/// 1.3.6.1.5.5.7.48.1.1, id-pkix-ocsp-basic: the only type there is.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// The status of the first certificate in a successful response.
fn parse(response: &[u8]) -> Option<SingleResponse<'_>> {
    let mut whole = Der(response);
    let mut outer = Der(whole.next(SEQUENCE)?);
    if !whole.0.is_empty() || outer.next(ENUMERATED)? != [0] {
        return None;
    }
    let mut typed = Der(Der(outer.next(FIRST)?).next(SEQUENCE)?);
    if typed.next(OBJECT)? != BASIC {
        return None;
    }
    let mut basic = Der(Der(typed.next(OCTET_STRING)?).next(SEQUENCE)?);
    let mut data = Der(basic.next(SEQUENCE)?);
    // The version, which may be left out, and whose response it is.
    data.skip(FIRST);
    data.any()?;
    data.next(TIME)?;
    let mut single = Der(Der(data.next(SEQUENCE)?).next(SEQUENCE)?);
    let mut certificate = Der(single.next(SEQUENCE)?);
    certificate.next(SEQUENCE)?;
    certificate.next(OCTET_STRING)?;
    certificate.next(OCTET_STRING)?;
    let serial = certificate.next(INTEGER)?;
    // Good, revoked or unknown: the clients' business.
    single.any()?;
    single.next(TIME)?;
    let until = single.next(FIRST).and_then(|end| Der(end).next(TIME));
    Some(SingleResponse { serial, until })
}

/// Elements of DER (X.690) one after another.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, which has this tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.any()
    }

    fn skip(&mut self, tag: u8) {
        let _ = self.next(tag);
    }

    fn any(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.0.get(1..)?.split_first()?;
        let (len, rest) = match len {
            0..=0x7f => (usize::from(len), rest),
            // 64 KiB are no more than three bytes of length.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(len & 0x7f))?;
                (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(content)
    }
}

fn is_serial(serial: &[u8], leaf: &X509Ref) -> bool {
    let wanted = leaf.serial_number().to_bn().map(|number| number.to_vec()).unwrap_or_default();
    // A number that begins with a one bit has a zero before it.
    serial.strip_prefix(&[0]).unwrap_or(serial) == wanted.strip_prefix(&[0]).unwrap_or(&wanted)
}

fn unix_seconds(time: &[u8]) -> Option<i64> {
    let time = Asn1Time::from_str(std::str::from_utf8(time).ok()?).ok()?;
    let since_1970 = Asn1Time::from_unix(0).ok()?.diff(&time).ok()?;
    Some(i64::from(since_1970.days) * SECONDS_PER_DAY + i64::from(since_1970.secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = content.len();
        let head = if len < 128 { vec![tag, len as u8] } else { vec![tag, 0x81, len as u8] };
        [head, content.to_vec()].concat()
    }

    fn response(version: &[u8], until: &[u8]) -> Vec<u8> {
        let hash = element(OCTET_STRING, &[7; 20]);
        let certificate =
            [element(SEQUENCE, b""), hash.clone(), hash, element(INTEGER, &[0, 0x80, 1])].concat();
        let now = element(TIME, b"20260101000000Z");
        let single =
            [&element(SEQUENCE, &certificate)[..], &[0x80, 0], &now, &element(FIRST, until)];
        let singles = element(SEQUENCE, &element(SEQUENCE, &single.concat()));
        let data = [version, &element(0xa2, &element(OCTET_STRING, b"key")), &now, &singles];
        let basic = element(SEQUENCE, &element(SEQUENCE, &data.concat()));
        let typed = [element(OBJECT, BASIC), element(OCTET_STRING, &basic)].concat();
        let outer = [&[ENUMERATED, 1, 0][..], &element(FIRST, &element(SEQUENCE, &typed))];
        element(SEQUENCE, &outer.concat())
    }

    #[test]
    fn a_response_is_found_with_and_without_its_version() {
        let end = element(TIME, b"20260108000000Z");
        for version in [&b""[..], &[FIRST, 3, INTEGER, 1, 0]] {
            let response = response(version, &end);
            let status = parse(&response).expect("a response");
            let wanted = SingleResponse { serial: &[0, 0x80, 1], until: Some(b"20260108000000Z") };
            assert_eq!(status, wanted);
            for len in 0..response.len() {
                assert_eq!(parse(&response[..len]), None, "{len}");
            }
        }
        assert_eq!(unix_seconds(b"20260108000000Z"), Some(1_767_830_400));
    }

    #[test]
    fn other_things_are_none() {
        // `tryLater`, which carries no status.
        assert_eq!(parse(&[SEQUENCE, 3, ENUMERATED, 1, 3]), None);
        assert_eq!(parse(b"-----BEGIN OCSP RESPONSE-----"), None);
        let mut behind = response(b"", b"");
        behind.push(0);
        assert_eq!(parse(&behind), None);
    }
}
