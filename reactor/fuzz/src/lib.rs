//! The bodies of the fuzz targets: each takes any bytes and panics when an invariant is broken.

#![forbid(unsafe_code)]

use wire::head::Origin;

mod codec;
mod h1;
mod h2;
mod h3;
mod h3_frames;

pub use codec::wire_codec;
pub use h1::h1;
pub use h2::h2;
pub use h3::h3;
pub use h3_frames::h3_frames;

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
}
