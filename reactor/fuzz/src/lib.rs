//! The bodies of the fuzz targets: each takes any bytes and panics when an invariant is broken.

#![forbid(unsafe_code)]

use bytes::Bytes;
use http::StatusCode;
use wire::head::Origin;
use wire::{BodyLength, Fields, Part, Reason, ResponseHead};

#[path = "../../protocol/tests/common/certificate.rs"]
mod certificate;
mod codec;
mod h1;
mod h2;
mod h3;
mod h3_frames;
mod held;
mod proxies;

pub use codec::wire_codec;
pub use h1::h1;
pub use h2::h2;
pub use h3::h3;
pub use h3_frames::h3_frames;
pub use held::held;
pub use proxies::proxies;

/// Where the requests come from, as far as a protocol cares.
fn origin() -> Origin {
    Origin { connection: 1, ..Origin::default() }
}

/// Choices taken from the front of the input; zeros when it is used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A part of a response.
    fn part(&mut self) -> Part<ResponseHead> {
        let length = self.byte();
        match self.byte() % 8 {
            0 => Part::Abort(Reason::HandlerFailed),
            1 | 2 => Part::End(None),
            3 | 4 => Part::Body(Bytes::from(vec![b'x'; usize::from(length) * 64 + 1])),
            kind => Part::Head(ResponseHead {
                status: [StatusCode::OK, StatusCode::NO_CONTENT, StatusCode::PROCESSING]
                    [usize::from(kind % 3)],
                reason: None,
                length: match length {
                    0..100 => BodyLength::Streamed,
                    length => BodyLength::Known(length.into()),
                },
                fields: Fields::default(),
                id_field: None,
            }),
        }
    }
}
