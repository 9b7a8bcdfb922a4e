//! The clock, read once per turn of the event loop.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::protocol::Now;

/// Reads the clock and formats the date once per second.
#[derive(Debug)]
pub struct Clock {
    now: Now,
    second: u64,
}

impl Clock {
    /// A clock that shows the current time.
    pub fn start() -> Self {
        let now = Now { instant: Instant::now(), unix_micros: 0, date: [b' '; 29] };
        let mut clock = Self { now, second: u64::MAX };
        clock.tick();
        clock
    }

    /// The time of the last [`tick`](Self::tick).
    pub fn now(&self) -> &Now {
        &self.now
    }

    /// Reads the time.
    pub fn tick(&mut self) {
        let wall = SystemTime::now();
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.now.instant = Instant::now();
        self.now.unix_micros = since.as_micros() as u64;
        if since.as_secs() != self.second {
            self.second = since.as_secs();
            let date = httpdate::fmt_http_date(wall);
            if let Ok(date) = date.as_bytes().try_into() {
                self.now.date = date;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_an_imf_fixdate() {
        let clock = Clock::start();
        let date = std::str::from_utf8(&clock.now().date).unwrap();
        assert!(httpdate::parse_http_date(date).is_ok(), "{date}");
    }
}
