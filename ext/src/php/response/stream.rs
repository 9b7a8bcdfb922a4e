//! [`StreamingResponse`]: a response whose content goes out in pieces.

use config::coding::ContentEncoder;
use wire::Reason;
use worker::{Reply, ReplyError};

use crate::php::error::Failure;

/// The response, and what is left of it.
#[derive(Debug)]
pub(super) struct StreamingResponse {
    /// Where it goes.
    pub reply: Reply,
    /// What is missing of the declared `Content-Length`.
    pub missing: Option<u64>,
    /// What encodes the content, if it is compressed.
    pub encoder: Option<ContentEncoder>,
}

impl StreamingResponse {
    /// Sends a piece, which the client gets at once.
    pub(super) fn send(&mut self, content: &[u8]) -> Result<Result<(), ReplyError>, Failure> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(self.reply.body(content).and_then(|()| self.reply.flush()));
        };
        match encoder.write(content) {
            Ok(coded) => Ok(self.reply.body(&coded).and_then(|()| self.reply.flush())),
            Err(error) => {
                self.reply.abort(Reason::HandlerFailed);
                Err(not_encoded(error))
            }
        }
    }

    /// Encodes the last piece; `None` when the content stays as it is.
    pub(super) fn last(&mut self, content: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let Some(encoder) = self.encoder.take() else { return Ok(None) };
        encoder.finish(content).map(Some).map_err(|error| {
            self.reply.abort(Reason::HandlerFailed);
            not_encoded(error)
        })
    }
}

fn not_encoded(error: std::io::Error) -> Failure {
    Failure::State(format!("the content cannot be compressed: {error}"))
}

/// Content that is longer than `Content-Length` says.
pub(super) fn too_long(len: usize, missing: Option<u64>) -> Failure {
    Failure::State(format!(
        "{len} bytes of content are more than the {} that Content-Length leaves",
        missing.unwrap_or(0)
    ))
}
