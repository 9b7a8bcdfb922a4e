//! [`Upload`]: content of a request on its way to a worker that is at work on it already.
//!
//! The worker gives credit for what it reads. What it has no credit for waits here, and past a
//! bound the client is held back: so a handler that does not read holds its client up, and nobody else. Nothing is sent before the worker asks, so nothing is lost when it dies before it starts.

use std::collections::VecDeque;

use bytes::Bytes;
use wire::limits::{BODY_FRAME_BYTES_MAX, REQUEST_WINDOW_BYTES};
use wire::{Fields, Part, RequestHead};

/// Content that is still arriving.
#[derive(Debug, Default)]
pub struct Upload {
    pieces: VecDeque<Bytes>,
    /// Bytes of the pieces.
    waiting: usize,
    /// Whether the client is held back.
    paused: bool,
    /// Content bytes that the worker may be sent; `None` until it asks.
    credit: Option<u64>,
    end: UploadEnd,
}

/// How far the end of the content has come.
#[derive(Debug, Default)]
enum UploadEnd {
    /// The client has not sent it.
    #[default]
    Missing,
    /// It waits behind the pieces, with the trailer fields.
    Waiting(Option<Fields>),
    /// The worker has it.
    Sent,
}

impl Upload {
    /// Of a request whose content its protocol holds back until it is asked for.
    pub fn new() -> Self {
        Self { paused: true, ..Self::default() }
    }

    /// Content has come from the client. `true`: there is enough of it, and it is to be held back.
    pub fn push(&mut self, bytes: Bytes) -> bool {
        self.waiting += bytes.len();
        self.pieces.push_back(bytes);
        self.waiting >= REQUEST_WINDOW_BYTES as usize && !std::mem::replace(&mut self.paused, true)
    }

    /// Whether content that was held back is to come again.
    pub fn resume(&mut self) -> bool {
        self.waiting < REQUEST_WINDOW_BYTES as usize / 2 && std::mem::take(&mut self.paused)
    }

    /// Whether content is held back.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The end has come from the client.
    pub fn finish(&mut self, trailers: Option<Fields>) {
        self.end = UploadEnd::Waiting(trailers);
    }

    /// The worker takes so many bytes more.
    pub fn grant(&mut self, bytes: u32) {
        let before = self.credit.unwrap_or_default();
        self.credit = Some(before.saturating_add(bytes.into()));
    }

    /// The next part that the worker may have now.
    pub fn next(&mut self) -> Option<Part<Box<RequestHead>>> {
        let credit = self.credit.as_mut()?;
        let Some(first) = self.pieces.front_mut() else {
            let UploadEnd::Waiting(trailers) = &mut self.end else { return None };
            let trailers = trailers.take();
            self.end = UploadEnd::Sent;
            return Some(Part::End(trailers));
        };
        let most = (*credit).min(BODY_FRAME_BYTES_MAX as u64) as usize;
        if most == 0 {
            return None;
        }
        let piece = first.split_to(first.len().min(most));
        *credit -= piece.len() as u64;
        self.waiting -= piece.len();
        if first.is_empty() {
            self.pieces.pop_front();
        }
        Some(Part::Body(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(upload: &mut Upload) -> Vec<usize> {
        let parts = std::iter::from_fn(|| upload.next());
        let len = |part| match part {
            Part::Body(bytes) => bytes.len(),
            part => panic!("{part:?}"),
        };
        parts.map(len).collect()
    }

    #[test]
    fn a_worker_is_sent_what_it_has_room_for() {
        let mut upload = Upload::default();
        upload.push(Bytes::from_static(b"hello"));
        assert_eq!(sent(&mut upload), [0; 0], "it has not asked yet");
        upload.grant(3);
        assert_eq!(sent(&mut upload), [3]);
        upload.grant(200_000);
        upload.push(Bytes::from(vec![0; 150_000]));
        assert_eq!(sent(&mut upload), [2, BODY_FRAME_BYTES_MAX, BODY_FRAME_BYTES_MAX, 18_928]);
    }

    #[test]
    fn past_a_bound_the_client_is_held_back_and_below_half_of_it_no_more() {
        let mut upload = Upload::default();
        let most = REQUEST_WINDOW_BYTES as usize;
        assert!(!upload.push(Bytes::from(vec![0; most - 1])));
        assert!(upload.push(Bytes::from_static(b"x")));
        assert!(!upload.push(Bytes::from_static(b"y")), "it is already");
        assert!(!upload.resume());
        upload.grant(REQUEST_WINDOW_BYTES / 2);
        sent(&mut upload);
        assert!(!upload.resume());
        upload.grant(2);
        sent(&mut upload);
        assert!(upload.resume());
        assert!(!upload.resume(), "it is no more");
    }

    #[test]
    fn the_end_follows_the_last_piece_once_and_takes_no_credit() {
        let mut upload = Upload::default();
        upload.push(Bytes::from_static(b"x"));
        upload.finish(None);
        assert!(upload.next().is_none(), "it has not asked yet");
        upload.grant(1);
        assert!(matches!(upload.next(), Some(Part::Body(_))));
        assert!(matches!(upload.next(), Some(Part::End(None))));
        assert!(upload.next().is_none());
    }
}
