//! [`LineMaker`]: makes the lines of one reactor thread's exchanges.

use std::sync::Arc;

use super::AccessLog;
use super::format::{Format, Stamp};
use super::queue::LineQueue;
use super::room::LogLines;
use crate::config::Observer;
use crate::record::{Outcome, Record};

/// One thread's end of the access log.
#[derive(Debug)]
pub(super) struct LineMaker {
    queue: Arc<LineQueue>,
    format: Format,
    /// Which part is logged, and what has added up of it.
    sample: f64,
    due: f64,
    exclude: Vec<String>,
    stamp: Stamp,
    lines: LogLines,
    count: u64,
}

impl LineMaker {
    pub fn new(log: &AccessLog, queue: Arc<LineQueue>) -> Self {
        let AccessLog { format, sample, exclude, .. } = log.clone();
        let (stamp, lines) = (Stamp::default(), LogLines::default());
        Self { queue, format, sample, due: 0.0, exclude, stamp, lines, count: 0 }
    }

    /// Whether an exchange is logged. What did not go well always is.
    fn takes(&mut self, record: &Record) -> bool {
        let excluded = |path: &String| match path.strip_suffix('*') {
            Some(beginning) => record.path.starts_with(beginning.as_bytes()),
            None => record.path == path.as_bytes(),
        };
        let well = record.outcome == Outcome::Complete
            && record.status.is_none_or(|status| !status.is_server_error());
        if !well {
            return true;
        }
        if self.exclude.iter().any(excluded) {
            return false;
        }
        self.due += self.sample;
        let taken = self.due >= 1.0;
        self.due -= f64::from(u8::from(taken));
        taken
    }
}

impl Observer for LineMaker {
    fn over(&mut self, record: &Record) {
        if self.takes(record) {
            self.stamp.set(record.received_at);
            self.format.append(&mut self.lines, record, &self.stamp);
            self.count += 1;
        }
    }

    fn turn_ends(&mut self) {
        if self.count > 0 {
            self.queue.push(self.lines.text(), self.count);
            self.lines.clear();
            self.count = 0;
        }
    }

    fn reads_fields(&self) -> bool {
        self.format.reads_fields()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use http::StatusCode;
    use wire::limits::ACCESS_LOG_BUFFER_BYTES_MAX;
    use wire::shm::Shared;

    use super::*;
    use crate::access_log::LogTarget;
    use crate::record::tests::record;

    fn maker(sample: f64) -> LineMaker {
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let queue = Arc::new(LineQueue::new(Shared::new(memory.leak(), 1, 1)));
        let format = Format::parse("{status} {path}").unwrap();
        let exclude = vec!["/healthz".into(), "/static/*".into()];
        LineMaker::new(&AccessLog { target: LogTarget::Syslog, format, sample, exclude }, queue)
    }

    #[test]
    fn a_part_is_logged_and_what_went_wrong_always() {
        let mut maker = maker(0.25);
        for nth in 0..1000 {
            let mut record = record();
            record.path = format!("/{nth}").into();
            if nth % 100 == 0 {
                record.status = Some(StatusCode::BAD_GATEWAY);
            }
            maker.over(&record);
        }
        assert_eq!(maker.count, 10 + 990 / 4);
        let mut record = record();
        record.outcome = Outcome::ClientLeft;
        maker.over(&record);
        assert_eq!(maker.count, 11 + 990 / 4);
    }

    #[test]
    fn paths_are_left_out() {
        let mut maker = maker(1.0);
        for (path, logged) in
            [("/healthz", 0), ("/healthz/x", 1), ("/static/a", 1), ("/static", 2), ("/", 3)]
        {
            let mut record = record();
            record.path = path.into();
            maker.over(&record);
            assert_eq!(maker.count, logged, "{path}");
        }
    }

    #[test]
    fn lines_that_nobody_writes_are_lost_and_counted() {
        let mut maker = maker(1.0);
        let mut made = 0;
        while maker.queue.lost() == 0 {
            for _ in 0..100 {
                maker.over(&record());
            }
            maker.turn_ends();
            made += 100;
            assert!(made < ACCESS_LOG_BUFFER_BYTES_MAX as u64, "there is a bound");
        }
        let mut lines = Vec::new();
        maker.queue.close();
        assert!(maker.queue.take(&mut lines).last);
        let kept = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(kept + maker.queue.lost(), made);
    }
}
