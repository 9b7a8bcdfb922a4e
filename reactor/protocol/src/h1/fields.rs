//! What the field lines of a request say about its framing and its connection.

use wire::Version;

use super::body::Framing;
use super::target;
use crate::error::Fault;
use crate::message;

/// Collects what matters while the field lines go by.
#[derive(Debug, Default)]
pub struct Meaning {
    host: Option<usize>,
    content_length: Option<u64>,
    coding: TransferCoding,
    close: bool,
    keep_alive: bool,
    expectation: Expectation,
}

/// What `Transfer-Encoding` said so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum TransferCoding {
    #[default]
    None,
    /// `chunked` came, once and last.
    Chunked,
    /// Another coding came, and nothing after it.
    Other,
    /// `chunked` came, last, behind another coding.
    OtherThenChunked,
    /// `chunked` was not the last, came twice, or an element is empty.
    Bad,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expectation {
    #[default]
    None,
    Continue,
    Unknown,
}

impl Meaning {
    /// Takes in the line with this index.
    pub fn read(&mut self, index: usize, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        match name.len() {
            4 if is(b"host") => self.host_line(index, value)?,
            6 if is(b"expect") => self.expect(value),
            10 if is(b"connection") => {
                for option in message::tokens(value) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if is(b"content-length") => self.content_length_line(value)?,
            17 if is(b"transfer-encoding") => {
                for coding in message::tokens(value) {
                    self.coding = self.coding.then(coding);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 9112, 3.2: one, and valid. An empty one has no meaning in the http schemes (RFC 9110,
    /// 4.2.1).
    fn host_line(&mut self, index: usize, value: &[u8]) -> Result<(), Fault> {
        let alone = self.host.replace(index).is_none();
        if alone && target::is_authority(value) { Ok(()) } else { Err(Fault::Host) }
    }

    /// RFC 9112, 6.3 lets a recipient accept a repeated length if all are the same. That is for
    /// proxies that repair; here one line with one number is the only good form.
    fn content_length_line(&mut self, value: &[u8]) -> Result<(), Fault> {
        let length = message::content_length(value).ok_or(Fault::ContentLength)?;
        let alone = self.content_length.replace(length).is_none();
        if alone { Ok(()) } else { Err(Fault::ContentLength) }
    }

    fn expect(&mut self, value: &[u8]) {
        let known = value.eq_ignore_ascii_case(b"100-continue");
        self.expectation = match self.expectation {
            Expectation::None | Expectation::Continue if known => Expectation::Continue,
            _ => Expectation::Unknown,
        };
    }

    /// Index of the Host line. `absolute` says that the target has an authority of its own; the
    /// line is required all the same (RFC 9112, 3.2.2).
    pub fn host(&self, version: Version, absolute: bool) -> Result<Option<usize>, Fault> {
        match self.host {
            None if version >= Version::Http11 => Err(Fault::Host),
            None if absolute => Ok(None),
            host => Ok(host),
        }
    }

    /// How the content is framed (RFC 9112, 6.3).
    pub fn framing(&self, version: Version) -> Result<Framing, Fault> {
        match (self.coding, self.content_length) {
            (TransferCoding::None, None | Some(0)) => Ok(Framing::None),
            (TransferCoding::None, Some(length)) => Ok(Framing::Length(length)),
            // Both: an attempt to smuggle, or the work of a broken sender (RFC 9112, 6.1 and 6.3).
            (_, Some(_)) => Err(Fault::TransferEncoding),
            // RFC 9112, 6.1: on HTTP/1.0 the framing is faulty whatever the field says.
            _ if version < Version::Http11 => Err(Fault::TransferEncoding),
            (TransferCoding::Chunked, None) => Ok(Framing::Chunked),
            (TransferCoding::OtherThenChunked, None) => Err(Fault::TransferCoding),
            (TransferCoding::Other | TransferCoding::Bad, None) => Err(Fault::TransferEncoding),
        }
    }

    /// Whether the client wants to go on after this request (RFC 9112, 9.3).
    pub fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version >= Version::Http11 || self.keep_alive)
    }

    /// Whether the client waits for a 100; ignored on HTTP/1.0 (RFC 9110, 10.1.1).
    pub fn expects_continue(&self, version: Version) -> Result<bool, Fault> {
        match self.expectation {
            _ if version < Version::Http11 => Ok(false),
            Expectation::Unknown => Err(Fault::Expectation),
            expectation => Ok(expectation == Expectation::Continue),
        }
    }
}

impl TransferCoding {
    fn then(self, coding: &[u8]) -> Self {
        let chunked = coding.eq_ignore_ascii_case(b"chunked");
        match self {
            _ if coding.is_empty() => Self::Bad,
            Self::None if chunked => Self::Chunked,
            Self::None | Self::Other if !chunked => Self::Other,
            Self::Other => Self::OtherThenChunked,
            _ => Self::Bad,
        }
    }
}
