//! What `quiche` keeps content in.

use bytes::Bytes;
use quiche::BufFactory;

/// Content is [`Bytes`], so that it goes into packets from where the worker's message lies.
#[derive(Debug, Clone, Copy, Default)]
pub struct BytesFactory;

impl BufFactory for BytesFactory {
    type Buf = Bytes;
    type DgramBuf = Vec<u8>;

    fn buf_from_slice(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    fn dgram_buf_from_slice(bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
}
