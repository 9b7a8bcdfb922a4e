//! Requests that no handler sees, whatever the version.

use wire::Version;

use super::common::client::{Reply, Request};
use super::common::{h2, h3};
use super::secure::Secure;
use super::{H1, H2, H3, Wire, text};

fn assert_plain(reply: &Reply, status: u16, reason: &str, case: &str) {
    assert_eq!((reply.status, reply.complete), (status, true), "{case}");
    let line = format!("{status} {reason}\n");
    assert_eq!(String::from_utf8_lossy(&reply.body), line, "{case}");
    assert_eq!(reply.get("content-length"), Some(&*line.len().to_string()), "{case}");
    assert_eq!(reply.get("content-type"), Some("text/plain; charset=utf-8"), "{case}");
}

/// What C makes of such a path is another path.
pub fn nul_in_a_path(wire: &mut dyn Wire) {
    for target in ["/%00", "/index.php%00.jpg", "/a%00?b=c", "/a/%00/b"] {
        assert_plain(&wire.refused(&Request::new("GET", target)), 400, "Bad Request", target);
        wire.still_serves();
    }
}

/// There it is data.
pub fn nul_in_a_query(wire: &mut dyn Wire) {
    let request = Request::new("GET", "/a%0?b=%00&c");
    let reply = wire.exchange(&request, &mut |seen| {
        assert_eq!(&seen.head.path[..], b"/a%0");
        assert_eq!(seen.head.query.as_deref(), Some(&b"b=%00&c"[..]));
        text("ok")
    });
    assert_eq!(reply.status, 200);
}

/// The connection is the origin's scheme (RFC 9110, 7.4).
#[test]
fn another_scheme_than_the_connections() {
    let cases: [(&str, Box<dyn Wire>, &[&str]); 5] = [
        ("HTTP/1 in cleartext", Box::new(H1::new()), &["https", "HTTPS"]),
        ("HTTP/1 by TLS", Box::new(Secure::new(Version::Http11)), &["http", "HTTP"]),
        ("HTTP/2 in cleartext", Box::new(H2 { pair: h2::Pair::new() }), &["https", "ftp"]),
        ("HTTP/2 by TLS", Box::new(Secure::new(Version::Http2)), &["http"]),
        ("HTTP/3", Box::new(H3 { pair: h3::Pair::new() }), &["http", "ftp", "httpss", ""]),
    ];
    for (name, mut wire, schemes) in cases {
        for scheme in schemes {
            let request = Request::new("GET", "/").scheme(scheme);
            let case = format!("{scheme} over {name}");
            assert_plain(&wire.refused(&request), 400, "Bad Request", &case);
            wire.still_serves();
        }
        let own = if name.ends_with("cleartext") { "http" } else { "https" };
        let reply = wire.answer(&Request::new("GET", "/").scheme(own), text("own"));
        assert_eq!(reply.status, 200, "{name}");
    }
}

/// RFC 9110, 15.5.20.
#[test]
fn a_host_that_no_certificate_is_for() {
    for version in [Version::Http11, Version::Http2] {
        let mut wire = Secure::with(version, |tls| tls.check_authority = true);
        for authority in ["other.example", "localhost.example:443", "127.0.0.2", "[::2]:1"] {
            let case = format!("{authority} over {version:?}");
            let reply = wire.refused(&Request::new("GET", "/").authority(authority));
            assert_plain(&reply, 421, "Misdirected Request", &case);
            assert!(wire.is_open(), "{case}: what follows may be for this server");
            let reply = wire.refused(&Request::new("HEAD", "/").authority(authority));
            assert_eq!((reply.status, reply.body.len()), (421, 0), "{case}");
            wire.still_serves();
        }
        for len in [1_000, 70_000] {
            let request =
                Request::new("POST", "/").authority("other.example").body(vec![b'x'; len]);
            let case = format!("{len} bytes over {version:?}");
            assert_plain(&wire.refused(&request), 421, "Misdirected Request", &case);
            wire.still_serves();
        }
        for authority in ["LOCALHOST", "localhost.:8443", "127.0.0.1", "[::1]:443"] {
            let request = Request::new("GET", "/").authority(authority);
            assert_eq!(wire.answer(&request, text("own")).status, 200, "{authority}");
        }
    }
}

#[test]
fn any_host_where_nobody_looks() {
    for version in [Version::Http11, Version::Http2] {
        let mut wire = Secure::new(version);
        let request = Request::new("GET", "/").authority("other.example");
        assert_eq!(wire.answer(&request, text("served")).status, 200);
    }
}
