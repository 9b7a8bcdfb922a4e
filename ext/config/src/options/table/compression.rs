//! Options of compressed responses.

use super::Spec;
use crate::options::config::COMPRESSED_TYPES;
use crate::options::option_type::OptionType::{Bytes, Count, List, Switch};

/// The table.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "http_compression",
        Switch(|d, v| d.port.compression.on = v),
        "false",
        "Whether content of responses is compressed: zstd, br or gzip, as the client's `Accept-Encoding` says. \
         A page that has a secret and repeats what a request says must not be (docs/compression.md).",
    ),
    Spec::port(
        "http_compression_level",
        Count { min: 0, max: 9, set: |d, v| d.port.compression.level = v as u8 },
        "0 (gzip 5, br 5, zstd 3)",
        "Level of all codings, from 1 to 9; br stays at 6 beyond 6, because of its memory.",
    )
    .alias(&["http_gzip_level", "compression_level"]),
    Spec::port(
        "compression_min_length",
        Bytes { min: 0, max: 1 << 40, set: |d, v| d.port.compression.bytes_min = v },
        "1K",
        "Content that is smaller goes out as it is. What `write()` sends has no known length, and is compressed.",
    )
    .alias(&["http_compression_min_length"]),
    Spec::port(
        "http_compression_types",
        List(|d, v| {
            d.port.compression.types = v.iter().map(|name| name.to_ascii_lowercase()).collect();
        }),
        COMPRESSED_TYPES,
        "Media types that are compressed, without parameters.",
    ),
];
