//! [`Syslog`]: lines as datagrams to the system's log (RFC 3164, as the C library writes it: without a host).

use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::time::SystemTime;

use memchr::memchr;

use super::queue::LineQueue;

/// Facility daemon, severity informational (RFC 3164, 4.1.1).
const PRIORITY: u8 = 3 * 8 + 6;

/// The socket of the system's log.
const PATH: &str = "/dev/log";

#[derive(Debug, Default)]
pub(super) struct Syslog(Option<UnixDatagram>);

impl Syslog {
    /// Sends each line. Those that the socket does not take are lost.
    pub fn send_all(&mut self, mut lines: &[u8], queue: &LineQueue) -> io::Result<()> {
        let mut outcome = Ok(());
        let mut datagram = Vec::new();
        while let Some(end) = memchr(b'\n', lines) {
            if let Err(error) = self.send(&lines[..end], &mut datagram) {
                queue.lose(1);
                self.0 = None;
                outcome = Err(error);
            }
            lines = &lines[end + 1..];
        }
        outcome
    }

    fn send(&mut self, line: &[u8], datagram: &mut Vec<u8>) -> io::Result<()> {
        let socket = match &mut self.0 {
            Some(socket) => socket,
            place => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(PATH)?;
                socket.set_nonblocking(true)?;
                place.insert(socket)
            }
        };
        frame(datagram, line, SystemTime::now());
        socket.send(datagram).map(drop)
    }
}

/// The datagram of a line.
fn frame(datagram: &mut Vec<u8>, line: &[u8], now: SystemTime) {
    datagram.clear();
    // IMF-fixdate has the parts in another order: "Sun, 06 Nov 1994 08:49:37 GMT".
    let date = httpdate::fmt_http_date(now);
    let (day, month, time) = (&date[5..7], &date[8..11], &date[17..25]);
    let day = day.trim_start_matches('0');
    let pid = std::process::id();
    // Memory takes it.
    let _ = write!(datagram, "<{PRIORITY}>{month} {day:>2} {time} ferrite[{pid}]: ");
    datagram.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_line_is_framed_as_the_c_library_does() {
        let mut datagram = Vec::new();
        frame(&mut datagram, b"GET /", UNIX_EPOCH + Duration::from_secs(784_111_777));
        let wanted = format!("<30>Nov  6 08:49:37 ferrite[{}]: GET /", std::process::id());
        assert_eq!(String::from_utf8(datagram).unwrap(), wanted);
    }
}
