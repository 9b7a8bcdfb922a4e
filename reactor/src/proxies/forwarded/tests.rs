use proptest::prelude::*;
use wire::head::Origin;
use wire::{RequestHead, RequestIds, Version};

use super::*;

/// A request of a proxy at 10.0.0.1, whose client's own `Host` is `www.example:8080`.
fn head(lines: &[(&str, &str)]) -> RequestHead {
    let own = [("host", "www.example:8080")];
    let lines = own.iter().chain(lines).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    RequestHead {
        method: http::Method::GET,
        path: "/".into(),
        query: None,
        version: Version::Http11,
        scheme: Scheme::Http,
        fields: lines.collect(),
        origin: Origin {
            remote: Some("10.0.0.1:1000".parse().unwrap()),
            local: Some("10.0.0.9:80".parse().unwrap()),
            trusted_proxy: true,
            ..Origin::default()
        },
        tls: None,
        ids: RequestIds::NONE,
        streamed: false,
        upgrade: None,
    }
}

fn settings(fields: ForwardedFields) -> ProxySettings {
    let mut trusted = TrustedProxies::default();
    assert!(trusted.add("10.0.0.0/8") && trusted.add("2001:db8::/32"));
    ProxySettings { trusted, protocol: false, fields }
}

/// Client, scheme, host and port, as the request has them afterwards.
fn seen_with(fields: ForwardedFields, lines: &[(&str, &str)]) -> Result<String, Fault> {
    let mut head = head(lines);
    apply(&mut head, &settings(fields))?;
    for line in lines {
        assert!(head.fields.iter().any(|(n, v)| (n, v) == (line.0.as_bytes(), line.1.as_bytes())));
    }
    let host = String::from_utf8_lossy(head.fields.get(b"host").unwrap()).into_owned();
    let port = head.origin.server_port.map_or("-".to_owned(), |port| port.to_string());
    let (client, scheme) = (head.origin.remote.unwrap(), head.scheme.as_str());
    Ok(format!("{client} {scheme} {host} {port}"))
}

fn seen(lines: &[(&str, &str)]) -> String {
    seen_with(ForwardedFields::Either, lines).unwrap()
}

fn client(list: &str) -> String {
    let seen = seen(&[("x-forwarded-for", list)]);
    seen.split(' ').next().unwrap().to_owned()
}

const PROXY: &str = "10.0.0.1:1000";

#[test]
fn nothing_said_is_nothing_changed() {
    assert_eq!(seen(&[]), "10.0.0.1:1000 http www.example:8080 -");
    assert_eq!(seen(&[("forwarded", ""), ("x-forwarded-for", " ,, ")]), seen(&[]));
}

#[test]
fn a_list_is_read_from_the_right_past_trusted_addresses() {
    for (list, wanted) in [
        ("192.0.2.1", "192.0.2.1:0"),
        ("192.0.2.1:5678", "192.0.2.1:5678"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1:0"),
        ("6.6.6.6, 192.0.2.1, 10.0.0.2,10.0.0.3", "192.0.2.1:0"),
        ("6.6.6.6, 192.0.2.1, 2001:db8::1, [2001:db8::2], [2001:db8::3]:9", "192.0.2.1:0"),
        ("2001:470::1", "[2001:470::1]:0"),
        ("[2001:470::1]", "[2001:470::1]:0"),
        ("[2001:470::1]:80", "[2001:470::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:0"),
        ("::ffff:10.0.0.2, 192.0.2.7, ::ffff:10.0.0.2", "192.0.2.7:0"),
        // All of them are trusted: the farthest one.
        ("10.0.0.4, 10.0.0.3", "10.0.0.4:0"),
        // What cannot be read ends it: the last proxy that is known.
        ("unknown", PROXY),
        ("192.0.2.1, unknown, 10.0.0.3", "10.0.0.3:0"),
        ("192.0.2.1, _hidden, 10.0.0.3", "10.0.0.3:0"),
        ("192.0.2.1, unix:", PROXY),
        ("192.0.2.1, 1.2.3, 10.0.0.3", "10.0.0.3:0"),
        ("192.0.2.1:0", PROXY),
        ("192.0.2.1:65536", PROXY),
        ("192.0.2.1:", PROXY),
        ("[192.0.2.1]", PROXY),
        ("[::1", PROXY),
        ("[::1]80", PROXY),
        ("fe80::1%eth0", PROXY),
        ("192.0.2.1 6.6.6.6", PROXY),
        ("\u{e9}", PROXY),
        // Elements that are empty do not count.
        (",192.0.2.1,,", "192.0.2.1:0"),
        // What stands left of the client may be anything.
        ("<script>, 192.0.2.1", "192.0.2.1:0"),
    ] {
        assert_eq!(client(list), wanted, "{list}");
    }
}

#[test]
fn several_lines_are_one_list() {
    let lines =
        [("x-forwarded-for", "6.6.6.6"), ("x", "y"), ("x-forwarded-for", "192.0.2.1, 10.0.0.2")];
    assert_eq!(seen(&lines), "192.0.2.1:0 http www.example:8080 -");
    let many: Vec<_> = (0..2000).map(|_| ("x-forwarded-for", "10.0.0.2")).collect();
    assert!(seen(&many).starts_with("10.0.0.2:0 "));
}

#[test]
fn scheme_host_and_port() {
    let of = ("x-forwarded-for", "192.0.2.1");
    for (lines, wanted) in [
        (&[("x-forwarded-proto", "https")][..], "https www.example:8080 8080"),
        (&[("x-forwarded-proto", "HTTPS")], "https www.example:8080 8080"),
        (&[("x-forwarded-proto", "ftp")], "http www.example:8080 -"),
        (&[("x-forwarded-host", "shop.example")], "http shop.example 80"),
        (&[("x-forwarded-host", "shop.example:81")], "http shop.example:81 81"),
        (&[("x-forwarded-host", "[::1]")], "http [::1] 80"),
        (&[("x-forwarded-host", "[::1]:7")], "http [::1]:7 7"),
        (&[("x-forwarded-host", "a/b")], "http www.example:8080 -"),
        (&[("x-forwarded-host", "a@b")], "http www.example:8080 -"),
        (&[("x-forwarded-port", "8443")], "http www.example:8080 8443"),
        (&[("x-forwarded-port", "0")], "http www.example:8080 -"),
        (&[("x-forwarded-port", "+1")], "http www.example:8080 -"),
        (&[("x-forwarded-port", "65536")], "http www.example:8080 -"),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.example")],
            "https shop.example 443",
        ),
        (
            &[
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "shop.example:1"),
                ("x-forwarded-port", "2"),
            ],
            "https shop.example:1 2",
        ),
        // A client's own value, and the proxy's behind it.
        (&[("x-forwarded-proto", "https, http")], "http www.example:8080 8080"),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")],
            "http www.example:8080 8080",
        ),
        (&[("x-forwarded-host", "evil, shop.example")], "http shop.example 80"),
    ] {
        assert_eq!(seen(lines), format!("{PROXY} {wanted}"), "{lines:?}");
        let with: Vec<_> = [of].iter().chain(lines).copied().collect();
        assert_eq!(seen(&with), format!("192.0.2.1:0 {wanted}"), "{lines:?}");
    }
    // Two proxies: the farther one knows what the client has asked for, whether the nearer one adds to
    // the list or has left it.
    let two = ("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2");
    for protos in ["http, https, http", "https, http", "https"] {
        let seen = seen(&[two, ("x-forwarded-proto", protos)]);
        assert_eq!(seen, "192.0.2.1:0 https www.example:8080 8080", "{protos}");
    }
}

#[test]
fn forwarded_of_rfc_7239() {
    for (lines, wanted) in [
        (&["for=192.0.2.43"][..], "192.0.2.43:0 http www.example:8080 -"),
        (&["For=\"192.0.2.43:47011\""], "192.0.2.43:47011 http www.example:8080 -"),
        (&["for=192.0.2.43:47011"], "192.0.2.43:47011 http www.example:8080 -"),
        (&["for=\"[2001:470::17]:4711\""], "[2001:470::17]:4711 http www.example:8080 -"),
        (&["for=\"[2001:470::17]:_port\""], "[2001:470::17]:0 http www.example:8080 -"),
        (
            &["for=192.0.2.60;proto=https;by=203.0.113.43;host=\"shop.example:8443\""],
            "192.0.2.60:0 https shop.example:8443 8443",
        ),
        (
            &["for=192.0.2.60; PROTO=https ;host=shop.example"],
            "192.0.2.60:0 https shop.example 443",
        ),
        (&["for=\"\\1\\92.0.2.60\""], "192.0.2.60:0 http www.example:8080 -"),
        (&[";;for=192.0.2.60;;", ""], "192.0.2.60:0 http www.example:8080 -"),
        (&["for=6.6.6.6, for=192.0.2.1, for=10.0.0.2"], "192.0.2.1:0 http www.example:8080 -"),
        (&["for=6.6.6.6", "for=192.0.2.1 , for=10.0.0.2"], "192.0.2.1:0 http www.example:8080 -"),
        // The farthest trusted proxy that says it.
        (
            &[
                "for=6.6.6.6;host=evil, for=192.0.2.1;proto=https, for=10.0.0.2;proto=http;host=in.example",
            ],
            "192.0.2.1:0 https in.example 443",
        ),
        (&["for=unknown;proto=https"], "10.0.0.1:1000 https www.example:8080 8080"),
        (&["for=6.6.6.6, for=_hidden"], "10.0.0.1:1000 http www.example:8080 -"),
        (&["for=\"_gazonk\""], "10.0.0.1:1000 http www.example:8080 -"),
        // Without `for`, nobody says that what stands before it is a proxy's.
        (&["for=6.6.6.6;proto=https, by=10.0.0.2"], "10.0.0.1:1000 http www.example:8080 -"),
        (&["for=6.6.6.6;proto=https, ext=1"], "10.0.0.1:1000 http www.example:8080 -"),
        (&["for=192.0.2.1;ext=\"a,b;for=6.6.6.6\""], "192.0.2.1:0 http www.example:8080 -"),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        assert_eq!(seen(&lines), wanted, "{lines:?}");
    }
}

#[test]
fn what_hides_elements_is_refused() {
    for line in [
        "for=\"",
        "for=\", for=192.0.2.1",
        "for=\"1.2.3.4\\",
        "for=1.2.3.4;for=192.0.2.1",
        "proto=http;Proto=https",
        "for",
        "for=",
        "=1.2.3.4",
        "for =1.2.3.4",
        "for= 1.2.3.4",
        "for=1.2.3.4 for=1.2.3.5",
        "for=\"1.2.3.4\"x",
        "for=a\"b",
        "for=1.2.3.4, garbage",
    ] {
        let result = seen_with(ForwardedFields::Either, &[("forwarded", line)]);
        assert_eq!(result, Err(Fault::Forwarded), "{line}");
        let ignored = seen_with(ForwardedFields::XForwarded, &[("forwarded", line)]);
        assert_eq!(ignored.as_deref(), Ok("10.0.0.1:1000 http www.example:8080 -"));
    }
}

#[test]
fn both_have_to_agree() {
    let agreeing = [
        ("forwarded", "for=\"192.0.2.1:7\";proto=https;host=shop.example"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "SHOP.example"),
        ("x-forwarded-port", "8443"),
    ];
    assert_eq!(seen(&agreeing), "192.0.2.1:0 https SHOP.example 8443");
    // One of them is a client's own, whichever the proxy sets.
    for forged in [
        [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "192.0.2.1")],
        [("forwarded", "host=evil"), ("x-forwarded-for", "192.0.2.1")],
        [("forwarded", "for=192.0.2.1;proto=https"), ("x-forwarded-for", "192.0.2.1")],
        [("forwarded", "for=192.0.2.1"), ("x-forwarded-host", "evil")],
    ] {
        let result = seen_with(ForwardedFields::Either, &forged);
        assert_eq!(result, Err(Fault::ForwardedTwice), "{forged:?}");
    }
    let both = [("forwarded", "for=192.0.2.2"), ("x-forwarded-for", "192.0.2.1")];
    for (fields, wanted) in
        [(ForwardedFields::Forwarded, "192.0.2.2:0"), (ForwardedFields::XForwarded, "192.0.2.1:0")]
    {
        assert!(seen_with(fields, &both).unwrap().starts_with(wanted));
    }
}

proptest! {
    #[test]
    fn anything_is_read_without_harm(values in prop::collection::vec("[ -~\t]{0,60}", 0..5)) {
        let mut lines = Vec::new();
        for value in &values {
            for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] {
                lines.push((name, value.as_str()));
            }
        }
        for fields in [ForwardedFields::Forwarded, ForwardedFields::XForwarded] {
            let _ = seen_with(fields, &lines);
        }
    }

    /// Whatever a client has written before: what the proxy adds is what counts.
    #[test]
    fn a_client_cannot_forge_its_address(own in "[ -~]{0,60}") {
        let list = format!("{own}, 192.0.2.1");
        prop_assert_eq!(client(&list), "192.0.2.1:0");
        let line = format!("{own}, for=192.0.2.1");
        match seen_with(ForwardedFields::Either, &[("forwarded", &line)]) {
            Ok(seen) => prop_assert!(seen.starts_with("192.0.2.1:0 "), "{}", seen),
            Err(fault) => prop_assert_eq!(fault, Fault::Forwarded),
        }
    }
}
