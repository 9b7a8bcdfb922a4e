//! Files as responses: conditions and ranges, and files that change while they are sent.

use reactor::protocol::files::{FileContent, FileFacts, FileOptions, respond};
use wire::BodyLength::Known;
use wire::limits::FILE_RANGES_MAX;
use wire::{Part, ResponseHead};

use super::common::client::{Reply, Request};
use super::common::{Seen, file, head};
use super::{Response, Wire};

const CONTENT_BYTES: usize = 300_000;

fn content() -> Vec<u8> {
    (0..CONTENT_BYTES).map(|n| (n / 7) as u8).collect()
}

/// The answer of the policy, made of a file that was written long ago.
fn answer(seen: &Seen, content: &[u8]) -> Response {
    let now = 800_000_000_000_000;
    let modified = 799_990_000_000_000_000;
    let facts = FileFacts { len: content.len() as u64, modified, inode: 7 };
    let options =
        FileOptions { media_type: Some(b"text/x"), ranges: true, ..FileOptions::default() };
    let response = respond(&seen.head.method, &seen.head.fields, &facts, &options, now);
    let fields = response.fields.iter().map(|(name, value)| (*name, &value[..])).collect();
    let length = Known(response.content.len());
    let head =
        ResponseHead { status: response.status, reason: None, length, fields, id_field: None };
    let mut parts = vec![Part::Head(head)];
    parts.extend(FileContent::parts(response.content, &file(content)));
    parts.push(Part::End(None));
    parts
}

fn ask(wire: &mut dyn Wire, request: &Request) -> Reply {
    let content = content();
    let reply = wire.exchange(request, &mut |seen| answer(seen, &content));
    assert!(reply.complete, "{request:?}");
    reply
}

fn get(name: &'static str, value: &str) -> Request {
    Request::new("GET", "/").field(name, value)
}

pub fn conditional_requests(wire: &mut dyn Wire) {
    let whole = ask(wire, &Request::new("GET", "/"));
    assert_eq!((whole.status, whole.body.len()), (200, CONTENT_BYTES));
    let (etag, date) =
        (whole.get("etag").unwrap().to_owned(), whole.get("last-modified").unwrap().to_owned());
    assert!(etag.starts_with('"'), "{etag}");
    assert_eq!(whole.get("accept-ranges"), Some("bytes"));
    assert_eq!(whole.get("content-type"), Some("text/x"));
    for (name, value, status) in [
        ("if-none-match", &etag[..], 304),
        ("if-modified-since", &date, 304),
        ("if-match", "\"other\"", 412),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", 412),
        ("if-none-match", "\"other\"", 200),
        ("if-match", &etag, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = ask(wire, &Request::new(method, "/").field(name, value));
            assert_eq!(reply.status, status, "{method} {name}: {value}");
            match status {
                304 => {
                    assert_eq!(reply.body.len(), 0);
                    assert_eq!(reply.get("etag"), Some(&etag[..]));
                    assert_eq!(reply.get("content-type"), None);
                }
                200 if method == "GET" => assert_eq!(reply.body, whole.body),
                _ => assert!(reply.body.len() < 100),
            }
        }
    }
    // What a POST has changed is not known here.
    let post = Request::new("POST", "/").field("if-none-match", &etag).field("range", "bytes=0-1");
    assert_eq!(ask(wire, &post).status, 200);
    wire.still_serves();
}

pub fn head_of_a_file(wire: &mut dyn Wire) {
    let reply = ask(wire, &Request::new("HEAD", "/").field("range", "bytes=0-1"));
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(reply.get("content-length"), Some("300000"));
    assert_eq!(reply.get("accept-ranges"), Some("bytes"));
    wire.still_serves();
}

pub fn a_range_of_a_file(wire: &mut dyn Wire) {
    let content = content();
    for (value, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-250000", 1000, 250_000),
        ("bytes=-5", 299_995, 299_999),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=0-1000000", 0, 299_999),
        ("bytes=0-0,0-5,3-10", 0, 10),
    ] {
        let reply = ask(wire, &get("range", value));
        assert_eq!(reply.status, 206, "{value}");
        let range = format!("bytes {first}-{last}/300000");
        assert_eq!(reply.get("content-range"), Some(&range[..]));
        assert!(reply.body == content[first..=last], "{value}");
        let len = (last - first + 1).to_string();
        assert_eq!(reply.get("content-length"), Some(&len[..]));
    }
    let reply = ask(wire, &get("range", "bytes=300000-"));
    assert_eq!(reply.status, 416);
    assert_eq!(reply.get("content-range"), Some("bytes */300000"));
    for ignored in ["bytes=2-1", "pages=1-2", "x"] {
        assert_eq!(ask(wire, &get("range", ignored)).status, 200, "{ignored}");
    }
    let twice = get("range", "bytes=0-0").field("range", "bytes=1-1");
    assert_eq!(ask(wire, &twice).status, 200);
    wire.still_serves();
}

pub fn if_range(wire: &mut dyn Wire) {
    let etag = ask(wire, &Request::new("GET", "/")).get("etag").unwrap().to_owned();
    for (condition, status) in [(&etag[..], 206), ("\"other\"", 200), ("W/\"a\"", 200)] {
        let reply = ask(wire, &get("range", "bytes=0-4").field("if-range", condition));
        assert_eq!(reply.status, status, "{condition}");
    }
    wire.still_serves();
}

pub fn several_ranges_of_a_file(wire: &mut dyn Wire) {
    let content = content();
    let reply = ask(wire, &get("range", "bytes=250000-259999, 0-9, 900000-, -1"));
    assert_eq!(reply.status, 206);
    assert_eq!(reply.get("content-range"), None);
    let media_type = reply.get("content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let mut wanted: Vec<u8> = Vec::new();
    for (first, last) in [(250_000, 259_999), (0, 9), (299_999, 299_999)] {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: text/x\r\n\
             Content-Range: bytes {first}-{last}/300000\r\n\r\n"
        );
        wanted.extend(head.as_bytes());
        wanted.extend(&content[first..=last]);
    }
    wanted.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert!(reply.body == wanted);
    let len = wanted.len().to_string();
    assert_eq!(reply.get("content-length"), Some(&len[..]));
    // As many as there may be, and one more.
    let ranges = |count: usize| {
        let ranges: Vec<_> = (0..count).map(|n| format!("{0}-{0}", n * 1000)).collect();
        format!("bytes={}", ranges.join(","))
    };
    let reply = ask(wire, &get("range", &ranges(FILE_RANGES_MAX)));
    assert_eq!(reply.status, 206);
    assert_eq!(ask(wire, &get("range", &ranges(FILE_RANGES_MAX + 1))).status, 200);
    wire.still_serves();
}

pub fn an_empty_file(wire: &mut dyn Wire) {
    for (range, status) in [("", 200), ("bytes=0-", 416), ("bytes=-5", 200)] {
        let request = match range {
            "" => Request::new("GET", "/"),
            range => get("range", range),
        };
        let reply = wire.exchange(&request, &mut |seen| answer(seen, b""));
        assert_eq!((reply.status, reply.complete), (status, true), "{range}");
    }
    wire.still_serves();
}

pub fn a_file_that_has_shrunk_breaks_off(wire: &mut dyn Wire) {
    let content = content();
    let mut slice = file(&content);
    slice.len += 100_000;
    let parts =
        vec![Part::Head(head(200, Known(slice.len), &[])), Part::File(slice), Part::End(None)];
    let reply = wire.answer(&Request::new("GET", "/"), parts);
    assert!(!reply.complete, "neither padded nor silently short");
    assert!(reply.body.len() <= CONTENT_BYTES && content.starts_with(&reply.body));
}
