//! [`ParserSource`]: content of a request as PHP's parsers read it.

use std::io::{self, BufRead, BufReader, Read, SeekFrom};

use super::body::{Body, StreamSource};
use crate::engine::zend::stream::StreamOps;

/// Reads content from its start, ahead where it lies in files: the parsers ask for few bytes at a time.
#[derive(Debug)]
pub struct ParserSource(BufReader<StreamSource>);

impl ParserSource {
    /// Reads this content.
    pub fn new(body: &Body) -> io::Result<Self> {
        Ok(Self(BufReader::with_capacity(body.read_ahead(), body.source()?)))
    }

    /// Fills `buffer`. A short answer is the end, which it means to the parsers.
    pub fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) => break,
                Ok(read) => filled += read,
            }
        }
        filled
    }

    /// Leaves out so many bytes, which are there; `false` where that cannot be, and nothing is left out.
    pub fn skip(&mut self, count: u64) -> bool {
        let ahead = self.0.buffer().len();
        let Some(beyond) = count.checked_sub(ahead as u64) else {
            self.0.consume(count as usize);
            return true;
        };
        let Ok(beyond) = i64::try_from(beyond) else { return false };
        if self.0.get_mut().seek(SeekFrom::Current(beyond)).is_none() {
            return false;
        }
        self.0.consume(ahead);
        true
    }
}
