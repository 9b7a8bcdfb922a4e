//! What proxies say about their clients: the PROXY protocol and the fields of requests.

use reactor::config::{ForwardedFields, ProxySettings, TrustedProxies};
use reactor::proxies::forwarded;
use reactor::proxies::protocol::{ProxyHeader, parse};
use wire::head::Origin;
use wire::{Fields, RequestHead, RequestIds, Scheme, Version};

/// A header is as long wherever it is cut, and fields change what they may change and nothing else.
pub fn proxies(data: &[u8]) {
    header(data);
    fields(data);
}

fn header(data: &[u8]) {
    let whole = parse(data);
    let ProxyHeader::Complete { len, .. } = whole else { return };
    assert_eq!(parse(&data[..len]), whole, "what follows does not matter");
    for cut in 0..len {
        assert_eq!(parse(&data[..cut]), ProxyHeader::Incomplete, "{cut} of {len} bytes");
    }
}

fn fields(data: &[u8]) {
    const NAMES: [&[u8]; 5] = [
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
    ];
    let mut trusted = TrustedProxies::default();
    assert!(trusted.add("private_ranges") && trusted.add("unix:"));
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_first()?;
        Some((NAMES[usize::from(*name) % NAMES.len()], value))
    });
    let fields: Fields = [(&b"host"[..], &b"a"[..])].into_iter().chain(lines).collect();
    let head = RequestHead {
        method: http::Method::GET,
        path: "/".into(),
        query: None,
        version: Version::Http11,
        scheme: Scheme::Http,
        fields,
        origin: Origin { trusted_proxy: true, ..Origin::default() },
        tls: None,
        ids: RequestIds::NONE,
        streamed: false,
        upgrade: None,
    };
    for fields in [ForwardedFields::Either, ForwardedFields::Forwarded, ForwardedFields::XForwarded]
    {
        let mut read = head.clone();
        let settings = ProxySettings { trusted: trusted.clone(), protocol: false, fields };
        if forwarded::apply(&mut read, &settings).is_ok() {
            assert_eq!(read.fields.len(), head.fields.len());
            assert!(read.fields.iter().skip(1).eq(head.fields.iter().skip(1)));
            assert!(read.fields.get(b"host").is_some_and(|host| !host.is_empty()));
        }
    }
}
