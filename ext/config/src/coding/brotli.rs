//! [`BrotliReader`]: decodes brotli (RFC 7932), and takes no byte of what follows.

use std::io::{self, BufRead, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// Reads what one stream of `source` holds. An error says that it is malformed, or cannot be read.
pub(super) struct BrotliReader<R> {
    source: R,
    /// Boxed for its size; `None` behind the end.
    state: Option<Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>>,
}

impl<R: BufRead> BrotliReader<R> {
    pub(super) fn new(source: R) -> Self {
        // Strict: no window beyond 16 MiB, which is the coding's bound (RFC 7932, 9.1).
        let alloc = StandardAlloc::default;
        let state = Some(Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())));
        Self { source, state }
    }

    /// What it reads from.
    pub(super) fn get_mut(&mut self) -> &mut R {
        &mut self.source
    }
}

impl<R: BufRead> Read for BrotliReader<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(state) = &mut self.state else { return Ok(0) };
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let (mut input_left, mut taken) = (input.len(), 0);
            let (mut space_left, mut len, mut total) = (space.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut input_left,
                &mut taken,
                input,
                &mut space_left,
                &mut len,
                space,
                &mut total,
                state,
            );
            self.source.consume(taken);
            match result {
                BrotliResult::ResultSuccess => {
                    self.state = None;
                    return Ok(len);
                }
                BrotliResult::ResultFailure => return Err(io::ErrorKind::InvalidData.into()),
                _ if len > 0 => return Ok(len),
                BrotliResult::NeedsMoreInput if at_end => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
        }
    }
}
