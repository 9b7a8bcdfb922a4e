//! [`MemoryIo`]: the two buffers in memory that the `h2` crate reads and writes as its socket.
//!
//! One holds what the client has sent, the other what is to be sent to it. The second is bounded;
//! when it is full, `h2` neither writes nor reads on until it has been emptied. That is the point at
//! which a client that does not read holds itself up.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wire::limits::{H2_TAPE_BYTES_MAX, READ_AHEAD_BYTES_MAX};

use super::meter::Meter;
use crate::{Chunk, Output};

/// One end of a connection in memory. Clones share the buffers: one is `h2`'s, which owns its
/// transport and does not give it back, and one is the protocol's. They are used by one thread at
/// a time, so the lock is never waited for.
#[derive(Debug, Clone, Default)]
pub struct MemoryIo(Arc<Mutex<Buffers>>);

#[derive(Debug, Default)]
struct Buffers {
    input: BytesMut,
    ended: bool,
    output: BytesMut,
    /// There once somebody wants to know what each stream is sent.
    meter: Option<Box<Meter>>,
}

impl MemoryIo {
    /// Appends bytes of the other end.
    pub fn feed(&self, bytes: &mut BytesMut) {
        let mut buffers = self.lock();
        if buffers.input.is_empty() {
            buffers.input = bytes.split();
        } else {
            buffers.input.extend_from_slice(bytes);
            bytes.clear();
        }
    }

    /// The other end will send no more.
    pub fn end(&self) {
        self.lock().ended = true;
    }

    /// Whether more bytes of the other end are of use now.
    pub fn wants_input(&self) -> bool {
        self.lock().input.len() < READ_AHEAD_BYTES_MAX
    }

    /// Moves what is to be sent to `out`. Returns whether the buffer was full, so that its writer may
    /// have more.
    pub fn transmit(&self, out: &mut Output) -> bool {
        let mut buffers = self.lock();
        if buffers.output.is_empty() {
            return false;
        }
        let full = buffers.output.len() >= H2_TAPE_BYTES_MAX;
        let Buffers { output, meter, .. } = &mut *buffers;
        if let Some(meter) = meter {
            meter.see(output);
        }
        out.push(Chunk::Buffer(buffers.output.split()));
        full
    }

    /// What is moved out from now on is counted for each stream.
    pub fn meter(&self) {
        self.lock().meter.get_or_insert_default();
    }

    /// Bytes of a stream's frames that were moved out, and whether its last one is among them.
    pub fn metered(&self, stream: u32) -> (u64, bool) {
        self.lock().meter.as_ref().map_or((0, true), |meter| meter.of(stream))
    }

    /// Nobody will ask for this stream again.
    pub fn forget(&self, stream: u32) {
        if let Some(meter) = &mut self.lock().meter {
            meter.forget(stream);
        }
    }

    /// Whether nothing waits to be read, and the writer is not held up.
    pub fn is_settled(&self) -> bool {
        let buffers = self.lock();
        buffers.input.is_empty() && buffers.output.len() < H2_TAPE_BYTES_MAX
    }

    /// Whether what is to be sent ends with these bytes.
    pub fn ends_with(&self, bytes: &[u8]) -> bool {
        self.lock().output.ends_with(bytes)
    }

    /// Whether all that is to be sent was moved out.
    pub fn is_written(&self) -> bool {
        self.lock().output.is_empty()
    }

    /// Frees the room for output: for a connection that is idle.
    pub fn shrink(&self) {
        let mut buffers = self.lock();
        if buffers.output.is_empty() {
            buffers.output = BytesMut::new();
        }
        if buffers.input.is_empty() {
            buffers.input = BytesMut::new();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffers {
    fn write(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(H2_TAPE_BYTES_MAX.saturating_sub(self.output.len()));
        self.output.extend_from_slice(&bytes[..taken]);
        taken
    }
}

/// Nobody is woken: the protocol polls after it has fed or emptied the buffers.
impl AsyncRead for MemoryIo {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let mut buffers = self.lock();
        if buffers.input.is_empty() {
            return if buffers.ended { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let len = buffers.input.len().min(buf.remaining());
        buf.put_slice(&buffers.input[..len]);
        buffers.input.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryIo {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        match self.lock().write(bytes) {
            0 if !bytes.is_empty() => Poll::Pending,
            taken => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let mut buffers = self.lock();
        let mut total = 0;
        for slice in slices {
            let taken = buffers.write(slice);
            total += taken;
            if taken < slice.len() {
                break;
            }
        }
        let nothing = total == 0 && slices.iter().any(|slice| !slice.is_empty());
        if nothing { Poll::Pending } else { Poll::Ready(Ok(total)) }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}
