//! Sorts the messages of a link: those about the exchange in work take effect, others wait.

use wire::{Address, CodecError, ExchangeId, Part, Reason, ToWorker};

use super::Link;

impl Link {
    /// Sorts what has been read while a handler works: what concerns its exchange takes effect, the
    /// rest is put by.
    pub(super) fn demultiplex(&mut self) {
        while let Some((exchange, message)) = self.decode() {
            let Some(message) = self.take_answer(exchange, message) else { continue };
            let current = self.open_mut(exchange);
            let taken = match (current, &message) {
                (Some(current), ToWorker::Credit(bytes)) => {
                    current.window = current.window.saturating_add(*bytes);
                    true
                }
                (Some(current), ToWorker::Request { part, .. }) => current.take(part),
                _ => false,
            };
            if !taken {
                self.deferred.push_back((exchange, message));
            }
        }
    }

    pub(super) fn decode(&mut self) -> Option<(ExchangeId, ToWorker)> {
        match self.decoder.next_to_worker() {
            Ok(None) => None,
            Ok(Some((Address::Exchange(exchange), message))) => Some((exchange, message)),
            // No message to a worker names anything else.
            Ok(Some((Address::Connection(_) | Address::Pool(_), message))) => {
                log::error!("the reactor sent what no reactor sends: {message:?}");
                self.end();
                None
            }
            // It ends as if its client had left, but for the answer.
            Err(CodecError::MissingDescriptor { address: Address::Exchange(exchange), mark }) => {
                self.say_no_file();
                let part = Part::Abort(Reason::Overloaded);
                Some((exchange, ToWorker::Request { mark, part }))
            }
            Err(error) => {
                log::error!("the reactor sent what no reactor sends: {error}");
                self.end();
                None
            }
        }
    }

    /// Clients choose how often: one line for a burst.
    fn say_no_file(&mut self) {
        let (begin, limit) = &mut self.no_file;
        let now = begin.elapsed();
        if limit.take(now) {
            log::error!(
                "cannot open the file with the content of a request: too many files are open; the \
                 client gets 503. Close files in the handler or raise the limit (ulimit -n)"
            );
        }
        if let Some(left_out) = limit.sum_up(now) {
            log::error!("{left_out} more files with the content of a request could not be opened");
        }
    }
}
