//! The ids of requests, in every version of HTTP.

use reactor::config::{IdTrust, RequestIdSettings};
use wire::BodyLength::Known;
use wire::limits::REQUEST_ID_BYTES_MAX;
use wire::{Part, Reason, Version};

use super::common::client::{Reply, Request};
use super::common::head;
use super::secure::Secure;
use super::{Response, Wire, text};

const VERSIONS: [Version; 3] = [Version::Http11, Version::Http2, Version::Http3];

fn server(version: Version, trust: IdTrust, in_responses: bool) -> Secure {
    Secure::configured(version, |config| {
        let settings = RequestIdSettings { trust, in_responses, ..RequestIdSettings::default() };
        config.request_ids = Some(settings);
    })
}

/// The id that the handler was told, and the response.
fn asked(wire: &mut Secure, request: &Request, response: &Response) -> (String, Reply) {
    let mut told = None;
    let reply = wire.exchange(request, &mut |seen| {
        told = seen.head.ids.request.clone();
        response.clone()
    });
    (told.expect("an id").as_str().to_owned(), reply)
}

fn is_made(id: &str) -> bool {
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && id.as_bytes()[14] == b'7'
}

#[test]
fn a_trusted_id_is_taken_and_any_other_is_replaced() {
    let long = "a".repeat(REQUEST_ID_BYTES_MAX + 1);
    for version in VERSIONS {
        let mut wire = server(version, IdTrust::Everybody, true);
        for (said, taken) in [
            ("0198f3c2-7d1e-7000-8000-0123456789ab", true),
            ("Root=1-67891233-abcdef;Self=1", true),
            ("a b", false),
            ("a,b", false),
            ("\"a\"", false),
            ("<script>", false),
            ("", false),
            (&long, false),
        ] {
            let request = Request::new("GET", "/").field("x-request-id", said);
            let (id, reply) = asked(&mut wire, &request, &text("hello"));
            assert_eq!(id == said, taken, "{version:?} {said:?} {id}");
            assert!(taken || is_made(&id), "{id}");
            assert_eq!(reply.get("x-request-id"), Some(&id[..]), "{version:?}");
            assert_eq!((reply.status, &reply.body[..]), (200, &b"hello"[..]));
        }
        let request =
            Request::new("GET", "/").field("x-request-id", "a").field("x-request-id", "b");
        assert!(is_made(&asked(&mut wire, &request, &text("")).0), "{version:?}");
    }
}

/// A client is no proxy.
#[test]
fn what_a_client_says_is_not_taken() {
    for version in VERSIONS {
        let mut wire = server(version, IdTrust::Proxies, false);
        let request = Request::new("GET", "/").field("x-request-id", "forged");
        let (one, reply) = asked(&mut wire, &request, &text(""));
        let (other, _) = asked(&mut wire, &request, &text(""));
        assert!(is_made(&one) && is_made(&other) && one != other, "{version:?} {one} {other}");
        assert_eq!(reply.get("x-request-id"), None, "responses have none unless they are to");
    }
}

#[test]
fn an_error_in_the_place_of_a_response_has_the_id_too() {
    for version in VERSIONS {
        let mut wire = server(version, IdTrust::Everybody, true);
        for (method, reason, status) in [
            ("GET", Reason::HandlerFailed, 500),
            ("GET", Reason::Overloaded, 503),
            ("HEAD", Reason::HandlerFailed, 500),
        ] {
            let request = Request::new(method, "/").field("x-request-id", "mine");
            let (id, reply) = asked(&mut wire, &request, &vec![Part::Abort(reason)]);
            assert_eq!((&id[..], reply.status), ("mine", status), "{version:?}");
            assert_eq!(reply.get("x-request-id"), Some("mine"), "{version:?}");
            assert_eq!(reply.body.is_empty(), method == "HEAD");
        }
        wire.still_serves();
    }
}

#[test]
fn a_handlers_own_id_stays() {
    for version in VERSIONS {
        let mut wire = server(version, IdTrust::Everybody, true);
        let head = head(200, Known(0), &[("x-request-id", "own")]);
        let response = vec![Part::Head(head), Part::End(None)];
        let (_, reply) = asked(&mut wire, &Request::new("GET", "/"), &response);
        let ids = reply.fields.iter().filter(|(name, _)| name == "x-request-id");
        assert_eq!(ids.map(|(_, value)| &value[..]).collect::<Vec<_>>(), [b"own"], "{version:?}");
    }
}
