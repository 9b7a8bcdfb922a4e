//! The PROXY protocol, versions 1 and 2: what a proxy says about its client before the client's first byte.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>. The crate `ppp` reads a header that is
//! complete; whether it is, and how long it may be, is decided here.

use std::net::SocketAddr;

use ppp::{v1, v2};
use wire::Scheme;
use wire::limits::PROXY_HEADER_BYTES_MAX;

/// The longest header of version 1, its line end included (section 2.1).
const V1_BYTES_MAX: usize = 107;

/// What comes before the length of a header of version 2, and the length (section 2.2).
const V2_PREFIX_BYTES: usize = 16;

/// The command LOCAL of version 2.
const V2_LOCAL: u8 = 0x20;

/// The client speaks TLS with the proxy (section 2.2.6).
const CLIENT_SSL: u8 = 1;

/// What is known of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Its beginning has come.
    Incomplete,
    /// It is there.
    Complete {
        /// Bytes of the header: what follows is the client's.
        len: usize,
        /// For whom the proxy speaks.
        relayed: Relayed,
    },
    /// It is none: why.
    Malformed(&'static str),
}

/// For whom a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// For itself, as when it looks whether the server is well.
    Local,
    /// For a client whose address it does not tell.
    Unknown,
    /// For this client.
    Client {
        /// The client's address.
        source: SocketAddr,
        /// The address that the client has connected to.
        destination: SocketAddr,
        /// Https if the proxy says that the client speaks TLS with it.
        scheme: Scheme,
    },
}

/// Reads a header from the first bytes of a connection: [`PROXY_HEADER_BYTES_MAX`] of them at least, or
/// all that have come.
pub fn parse(bytes: &[u8]) -> ProxyHeader {
    match bytes.first() {
        None => ProxyHeader::Incomplete,
        Some(b'P') => version_1(bytes),
        Some(b'\r') => version_2(bytes),
        Some(_) => ProxyHeader::Malformed("no PROXY header"),
    }
}

fn begins_as(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes.iter().zip(prefix).all(|(a, b)| a == b)
}

fn version_1(bytes: &[u8]) -> ProxyHeader {
    if !begins_as(bytes, b"PROXY ") {
        return ProxyHeader::Malformed("no PROXY header");
    }
    let start = &bytes[..bytes.len().min(V1_BYTES_MAX)];
    let Some(len) = start.windows(2).position(|end| end == b"\r\n").map(|at| at + 2) else {
        return match start.len() {
            V1_BYTES_MAX => ProxyHeader::Malformed("PROXY header of version 1 without an end"),
            _ => ProxyHeader::Incomplete,
        };
    };
    let relayed = match v1::Header::try_from(&bytes[..len]).map(|header| header.addresses) {
        Ok(v1::Addresses::Tcp4(ip)) => Relayed::Client {
            source: (ip.source_address, ip.source_port).into(),
            destination: (ip.destination_address, ip.destination_port).into(),
            scheme: Scheme::Http,
        },
        Ok(v1::Addresses::Tcp6(ip)) => Relayed::Client {
            source: (ip.source_address, ip.source_port).into(),
            destination: (ip.destination_address, ip.destination_port).into(),
            scheme: Scheme::Http,
        },
        Ok(v1::Addresses::Unknown) => Relayed::Unknown,
        Err(_) => return ProxyHeader::Malformed("malformed PROXY header of version 1"),
    };
    ProxyHeader::Complete { len, relayed }
}

fn version_2(bytes: &[u8]) -> ProxyHeader {
    if !begins_as(bytes, v2::PROTOCOL_PREFIX) {
        return ProxyHeader::Malformed("no PROXY header");
    }
    let Some(&[.., command, _family, high, low]) = bytes.first_chunk::<V2_PREFIX_BYTES>() else {
        return ProxyHeader::Incomplete;
    };
    let len = V2_PREFIX_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if len > PROXY_HEADER_BYTES_MAX {
        return ProxyHeader::Malformed("PROXY header of version 2 longer than 4 KiB");
    }
    let Some(bytes) = bytes.get(..len) else { return ProxyHeader::Incomplete };
    if command == V2_LOCAL {
        // What follows of it is to be ignored, whatever it is.
        return ProxyHeader::Complete { len, relayed: Relayed::Local };
    }
    let Ok(header) = v2::Header::try_from(bytes) else {
        return ProxyHeader::Malformed("malformed PROXY header of version 2");
    };
    let Some(additions) = Additions::of(&header) else {
        return ProxyHeader::Malformed("malformed PROXY header of version 2");
    };
    if additions.checksum.is_some_and(|(at, told)| told != checksum(bytes, at)) {
        return ProxyHeader::Malformed("PROXY header of version 2 with a wrong checksum");
    }
    let scheme = additions.scheme;
    let relayed = match header.addresses {
        // Datagrams do not come by a stream socket: whoever it is, it is not the client of this one.
        _ if header.protocol != v2::Protocol::Stream => Relayed::Unknown,
        v2::Addresses::IPv4(ip) => Relayed::Client {
            source: (ip.source_address, ip.source_port).into(),
            destination: (ip.destination_address, ip.destination_port).into(),
            scheme,
        },
        v2::Addresses::IPv6(ip) => Relayed::Client {
            source: (ip.source_address, ip.source_port).into(),
            destination: (ip.destination_address, ip.destination_port).into(),
            scheme,
        },
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => Relayed::Unknown,
    };
    ProxyHeader::Complete { len, relayed }
}

/// What is of use in the vectors behind the addresses (section 2.2).
struct Additions {
    scheme: Scheme,
    /// Where the checksum stands, and what it is.
    checksum: Option<(usize, u32)>,
}

impl Additions {
    /// `None` when they are malformed. Kinds that nobody here knows are passed over.
    fn of(header: &v2::Header<'_>) -> Option<Self> {
        const VECTOR_PREFIX_BYTES: usize = 3;
        let mut found = Self { scheme: Scheme::Http, checksum: None };
        // Without addresses `ppp` cannot tell where they end: all of it is vectors.
        let vectors = match header.addresses {
            v2::Addresses::Unspecified => &header.as_bytes()[V2_PREFIX_BYTES..],
            _ => header.tlv_bytes(),
        };
        let mut at = header.len() - vectors.len();
        for vector in v2::TypeLengthValues::from(vectors) {
            let vector = vector.ok()?;
            if vector.kind == v2::Type::SSL as u8 {
                let encrypted = vector.value.first()? & CLIENT_SSL != 0;
                found.scheme = if encrypted { Scheme::Https } else { Scheme::Http };
            }
            if vector.kind == v2::Type::CRC32C as u8 {
                let told = u32::from_be_bytes(vector.value.as_ref().try_into().ok()?);
                found.checksum = Some((at + VECTOR_PREFIX_BYTES, told));
            }
            at += VECTOR_PREFIX_BYTES + vector.value.len();
        }
        Some(found)
    }
}

/// CRC32c (RFC 9260, appendix A) of a header, with zeros in place of the checksum at `hole`.
fn checksum(header: &[u8], hole: usize) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let byte = |(at, byte): (usize, &u8)| if (hole..hole + 4).contains(&at) { 0 } else { *byte };
    !header.iter().enumerate().map(byte).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    const V4: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let len = (rest.len() as u16).to_be_bytes();
        [SIGNATURE, &[command, family], &len, rest].concat()
    }

    fn client(source: &str, destination: &str, scheme: Scheme) -> Relayed {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Relayed::Client { source, destination, scheme }
    }

    /// A header by itself, byte by byte, and with a client's first bytes behind it.
    fn read(header: &[u8]) -> Relayed {
        for len in 0..header.len() {
            assert_eq!(parse(&header[..len]), ProxyHeader::Incomplete, "{len} bytes of {header:?}");
        }
        let whole = parse(header);
        for more in ["G", "GET / HTTP/1.1\r\n\r\n", "\r\n"] {
            assert_eq!(parse(&[header, more.as_bytes()].concat()), whole);
        }
        let ProxyHeader::Complete { len, relayed } = whole else { panic!("{whole:?}: {header:?}") };
        assert_eq!(len, header.len());
        relayed
    }

    fn is_malformed(header: &[u8]) -> bool {
        matches!(parse(header), ProxyHeader::Malformed(_))
    }

    #[test]
    fn version_1_headers() {
        assert_eq!(
            read(b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
            client("192.0.2.1:56324", "198.51.100.1:443", Scheme::Http)
        );
        assert_eq!(
            read(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"),
            client("[2001:db8::1]:1", "[::1]:65535", Scheme::Http)
        );
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), Relayed::Unknown);
        assert_eq!(read(b"PROXY UNKNOWN ffff::1 any thing 1\r\n"), Relayed::Unknown);
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "PUT / HTTP/1.1\r\n\r\n",
            "PROXY\r\n",
            "PROXY \r\n",
            "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r \n\r\n",
            "\x16\x03\x01",
            " PROXY UNKNOWN\r\n",
        ] {
            assert!(is_malformed(bad.as_bytes()), "{bad:?}");
        }
        let long = format!("PROXY UNKNOWN {}", "x".repeat(93));
        assert_eq!(parse(&long.as_bytes()[..106]), ProxyHeader::Incomplete);
        assert!(is_malformed(long.as_bytes()));
    }

    #[test]
    fn version_2_headers() {
        let own = client("192.0.2.1:56324", "198.51.100.1:443", Scheme::Http);
        assert_eq!(read(&v2(0x21, 0x11, V4)), own);
        let noop = [V4, &[4, 0, 3, 0, 0, 0, 0xee, 0, 0]].concat();
        assert_eq!(read(&v2(0x21, 0x11, &noop)), own, "vectors that nobody knows");
        let mut v6 = [0; 36];
        (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 7, 8);
        assert_eq!(read(&v2(0x21, 0x21, &v6)), client("[::1]:7", "[::2]:8", Scheme::Http));
        for (tls, scheme) in [(1, Scheme::Https), (7, Scheme::Https), (0, Scheme::Http)] {
            let ssl = [V4, &[0x20, 0, 5, tls, 0, 0, 0, 0]].concat();
            let wanted = client("192.0.2.1:56324", "198.51.100.1:443", scheme);
            assert_eq!(read(&v2(0x21, 0x11, &ssl)), wanted);
        }
        // LOCAL: whatever follows is ignored.
        for rest in [&[][..], V4, &[1, 2, 3]] {
            for family in [0x00, 0x11, 0xff] {
                assert_eq!(read(&v2(0x20, family, rest)), Relayed::Local);
            }
        }
        for (family, rest) in [(0x00, &[][..]), (0x00, &[4, 0, 0]), (0x31, &[7; 216]), (0x12, V4)] {
            assert_eq!(read(&v2(0x21, family, rest)), Relayed::Unknown, "{family:#x}");
        }
        for (command, family, rest) in [
            (0x11, 0x11, V4),
            (0x22, 0x11, V4),
            (0x21, 0x41, V4),
            (0x21, 0x13, V4),
            (0x21, 0x11, &V4[..11]),
            (0x21, 0x21, V4),
            (0x21, 0x31, &[7; 215]),
            (0x21, 0x11, &[V4, &[4, 0]].concat()),
            (0x21, 0x11, &[V4, &[4, 0, 2, 0]].concat()),
            (0x21, 0x11, &[V4, &[0x20, 0, 0]].concat()),
            (0x21, 0x11, &[V4, &[3, 0, 3, 0, 0, 0]].concat()),
        ] {
            assert!(is_malformed(&v2(command, family, rest)), "{command:#x} {family:#x} {rest:?}");
        }
        assert!(is_malformed(b"\r\n\r\n\0\r\nQUIX"));
        let long = v2(0x21, 0x00, &[0; PROXY_HEADER_BYTES_MAX - 15]);
        assert!(is_malformed(&long[..16]), "it is not waited for");
    }

    #[test]
    fn a_checksum_holds() {
        // The check value of CRC-32C in the catalogue of parametrised CRC algorithms.
        assert_eq!(checksum(b"123456789", 9), 0xe306_9283);
        for (family, addresses) in [(0x11, V4), (0x00, &[])] {
            let mut header =
                v2(0x21, family, &[addresses, &[3, 0, 4, 0, 0, 0, 0, 4, 0, 1, 9]].concat());
            let at = header.len() - 8;
            let sum = checksum(&header, at);
            header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
            read(&header);
            header[at] ^= 1;
            assert!(is_malformed(&header));
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm(start in 0..4usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let start: &[u8] = [&b""[..], b"PROXY ", b"PROXY TCP4 ", SIGNATURE][start];
            let bytes = [start, &bytes].concat();
            if let ProxyHeader::Complete { len, .. } = parse(&bytes) {
                prop_assert!(len <= bytes.len());
            }
        }
    }
}
