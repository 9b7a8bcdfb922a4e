//! Requests about whose framing two parties could disagree. Each is refused and the connection
//! closed, whole or byte by byte, whatever is hidden behind it.

mod common;

use common::{End, Server};
use protocol::Closing;
use protocol::error::Fault::{self, *};

/// What an attacker would like to be taken for a request.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// Refused at the head: no part of it is seen.
fn refused(fault: Fault, head: &str) {
    for whole in [true, false] {
        let mut server = Server::new();
        let input = format!("{head}{HIDDEN}");
        let server = if whole { server.feed(&input) } else { server.drip(&input) };
        assert!(server.seen.is_empty(), "{head:?} was served as {:?}", server.seen[0]);
        assert_eq!(server.refusals.len(), 1, "{head:?}");
        assert_eq!(server.refusals[0].reason, fault, "{head:?}");
        server.assert_refused(fault);
        assert!(!server.protocol.wants_input());
        assert!(server.feed(HIDDEN).seen.is_empty(), "{head:?}");
    }
}

/// Refused in the content: the head was seen, its end never.
fn broken(fault: Fault, content: &str) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for whole in [true, false] {
        let mut server = Server::new();
        let input = format!("{head}{content}0\r\n\r\n{HIDDEN}");
        let server = if whole { server.feed(&input) } else { server.drip(&input) };
        let seen = server.one();
        assert!(matches!(seen.end, Some(End::Abort(_))), "{content:?}: {:?}", seen.end);
        server.assert_refused(fault);
    }
}

/// Refused by its field lines.
fn refused_fields(fault: Fault, lines: &str) {
    refused(fault, &format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n"));
}

/// Served, with this content, and the next request too.
fn served(lines: &str, content: &str, body: &str) {
    for whole in [true, false] {
        let mut server = Server::new();
        let input = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{content}{HIDDEN}");
        let server = if whole { server.feed(&input) } else { server.drip(&input) };
        let seen = server.one();
        assert!(matches!(seen.end, Some(End::Complete(_))), "{lines:?}: {:?}", server.refusals);
        assert_eq!(seen.body, body.as_bytes(), "{lines:?}");
        server.ok("ok");
        assert_eq!(&server.seen[1].head.path[..], b"/hidden", "{lines:?}");
    }
}

#[test]
fn both_framings() {
    refused_fields(TransferEncoding, "Content-Length: 3\r\nTransfer-Encoding: chunked");
    refused_fields(TransferEncoding, "Transfer-Encoding: chunked\r\nContent-Length: 3");
    refused_fields(TransferEncoding, "Transfer-Encoding: chunked\r\nContent-Length: 0");
    refused_fields(TransferEncoding, "Content-Length: 3\r\nTransfer-Encoding: identity");
    refused_fields(TransferEncoding, "Content-Length: 3\r\nTransfer-Encoding:");
}

#[test]
fn content_lengths() {
    for value in [
        "",
        "+3",
        "-3",
        "3 3",
        "3,3",
        "3, 3",
        "3, 4",
        "0x3",
        "3a",
        "a",
        "3.0",
        "3;",
        "'3'",
        "٣",
        "18446744073709551616",
        "99999999999999999999999",
    ] {
        refused_fields(ContentLength, &format!("Content-Length: {value}"));
    }
    refused_fields(ContentLength, "Content-Length: 3\r\nContent-Length: 4");
    // The same twice is refused, too: the only good form is one line with one number.
    refused_fields(ContentLength, "Content-Length: 3\r\nContent-Length: 3");
    refused_fields(ContentLength, "Content-Length: 3\r\ncontent-length: 3");
    refused_fields(FieldLine, "Content-Length: \x003");
    served("Content-Length: 3", "abc", "abc");
    served("Content-Length: 0", "", "");
    served("Content-Length:3", "abc", "abc");
    served("Content-Length: \t 003 \t", "abc", "abc");
    served("cOnTeNt-LeNgTh: 3", "abc", "abc");
}

#[test]
fn transfer_encodings() {
    for value in [
        "identity",
        "gzip",
        "x",
        "chunked, identity",
        "chunked, gzip",
        "chunked, chunked",
        "",
        "chunked,",
        ",chunked",
        "chunked;x=1",
        "chunked x",
        "\"chunked\"",
        "chun ked",
        "chunke",
        "chunkedd",
        "gzip chunked",
    ] {
        refused_fields(TransferEncoding, &format!("Transfer-Encoding: {value}"));
    }
    for value in ["gzip, chunked", "x,chunked", "gzip;q=1, chunked"] {
        refused_fields(TransferCoding, &format!("Transfer-Encoding: {value}"));
    }
    for value in ["\x0bchunked", "chunked\x0c", "chunked\0"] {
        refused_fields(FieldLine, &format!("Transfer-Encoding: {value}"));
    }
    refused_fields(TransferEncoding, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked");
    refused_fields(TransferEncoding, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity");
    refused_fields(TransferCoding, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked");
    refused(TransferEncoding, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    served("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n", "abc");
    served("Transfer-Encoding:\tCHUNKED ", "3\r\nabc\r\n0\r\n\r\n", "abc");
    // Another name is another field.
    served("Transfer_Encoding: chunked\r\nContent-Length: 3", "abc", "abc");
}

#[test]
fn field_lines() {
    for line in [
        "X : y",
        "X\t: y",
        " X: y",
        "\tX: y",
        "X",
        ": y",
        "X y: z",
        "X\0: y",
        "X: \0",
        "X: a\rb",
        "X: a\r",
        "X\r: a",
        "X: \x07",
        "X: \x7f",
        "Ä: y",
        "X(: y",
        "X: y\r\n z",
        "X: y\r\n\tz",
        "Content-Length : 3",
        "Transfer-Encoding : chunked",
        "X: y\r\n Content-Length: 3",
    ] {
        refused_fields(FieldLine, line);
    }
    refused(FieldLine, "GET / HTTP/1.1\r\n Host: a\r\n\r\n");
    served("X:", "", "");
    served("X:y\r\n!#$%&'*+-.^_`|~09: \u{e4}\tb", "", "");
}

#[test]
fn line_ends() {
    refused(LineEnd, "GET / HTTP/1.1\nHost: a\r\n\r\n");
    refused(LineEnd, "GET / HTTP/1.1\r\nHost: a\n\r\n");
    refused(LineEnd, "GET / HTTP/1.1\r\nHost: a\r\n\n");
    refused(LineEnd, "GET / HTTP/1.1\r\nHost: a\n\n");
    refused(RequestLine, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n");
    refused(RequestLine, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    refused(RequestLine, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

#[test]
fn hosts() {
    refused(Host, "GET / HTTP/1.1\r\n\r\n");
    refused(Host, "GET / HTTP/1.1\r\nX-Host: a\r\n\r\n");
    refused(Host, "GET http://a/ HTTP/1.1\r\n\r\n");
    for version in ["1.0", "1.1"] {
        refused(Host, &format!("GET / HTTP/{version}\r\nHost: a\r\nHost: a\r\n\r\n"));
        refused(Host, &format!("GET / HTTP/{version}\r\nHost: a\r\nhost: b\r\n\r\n"));
        for host in
            ["", "a b", "a,b c", "u@a", "a/b", "http://a", "a:b", "a:99999", "[::1", "a?b", "a#b"]
        {
            refused(Host, &format!("GET / HTTP/{version}\r\nHost: {host}\r\n\r\n"));
        }
    }
    let mut server = Server::new();
    server.feed("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(server.one().head.fields.len(), 0, "HTTP/1.0 needs no Host");
}

#[test]
fn request_lines() {
    for line in [
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/1.",
        "GET / HTTP/1.10",
        "GET / HTTP/1.x",
        "GET / HTTP /1.1",
        "GET / XTTP/1.1",
        "GET / HTTP/1.1x",
        "GET / a HTTP/1.1",
        "GET /\r",
    ] {
        let mut server = Server::new();
        server.feed(format!("{line}\r\n"));
        let fault = server.refusals.first().map(|error| error.reason);
        assert!(matches!(fault, Some(RequestLine | Method)), "{line:?}: {fault:?}");
        refused(fault.unwrap(), &format!("{line}\r\nHost: a\r\n\r\n"));
    }
    for method in ["G(T", "GET\0", "GE\u{e4}", "A:B", "{}"] {
        let mut server = Server::new();
        server.feed(format!("{method} / HTTP/1.1\r\n"));
        assert_eq!(server.refusals.len(), 1, "{method}");
    }
    for target in
        ["*", "a", "a:80", "/a#b", "/\x01", "/\x7f", "ftp://a/", "http:///", "http://u@a/"]
    {
        refused(Target, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    refused(Connect, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    refused(Target, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n");
}

#[test]
fn versions() {
    // Refused at the end of the line: an HTTP/0.9 client sends nothing more.
    let mut server = Server::new();
    server.feed("GET /\r\n").assert_refused(RequestLine);
    for line in ["GET / HTTP/2.0", "GET / HTTP/3.0", "GET / HTTP/0.9", "GET / HTTP/9.9"] {
        refused(Version, &format!("{line}\r\nHost: a\r\n\r\n"));
    }
    refused(Version, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    // TLS where none is spoken.
    refused(RequestLine, "\x16\x03\x01\x02\0\x01");
    let mut server = Server::new();
    server.feed("GET / HTTP/1.7\r\nHost: a\r\n\r\n");
    assert_eq!(server.one().head.version, wire::Version::Http11);
}

#[test]
fn chunk_sizes() {
    for content in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        " 1\r\na\r\n",
        "1 \r\na\r\n",
        "1\na\r\n",
        "1\r\ra\r\n",
        "1,\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\r\r",
        "1\r\na0\r\n",
        "1\r\nax\n",
        "1;a\x7f\r\na\r\n",
        "11111111111111111\r\n",
        "00000000000000001\r\na\r\n",
        "1;a\nb\r\na\r\n",
        "1;a\rb\r\n",
        "1;\0\r\na\r\n",
        "1 a\r\na\r\n",
        "1\t\r\na\r\n",
        "\u{ff11}\r\n",
    ] {
        broken(Chunk, content);
    }
    broken(ContentTooLarge, "ffffffffffffffff\r\n");
    broken(ContentTooLarge, "7fffffffffffffff\r\n");
    broken(LineEnd, "0\r\n\n");
    broken(LineEnd, "0\r\nX: y\n\r\n");
    broken(FieldLine, "0\r\nX : y\r\n\r\n");
    broken(FieldLine, "0\r\n X: y\r\n\r\n");
    broken(FieldLine, "0\r\nX\r\n\r\n");
    let served = |content, body| served("Transfer-Encoding: chunked", content, body);
    served("0\r\n\r\n", "");
    served("000\r\n\r\n", "");
    served("00000000000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789");
    served("1;ext=\"v\";b\r\na\r\n1 ;x\r\nb\r\n0;last\r\nX: y\r\n\r\n", "ab");
}

#[test]
fn the_targets_authority_replaces_the_host() {
    for (lines, count) in [("HTTP/1.1\r\nX: y\r\nHost: other\r\n", 2), ("HTTP/1.0\r\nX: y\r\n", 2)]
    {
        let mut server = Server::new();
        server.feed(format!("GET http://real:81/p?q {lines}\r\n"));
        let head = &server.one().head;
        assert_eq!(head.fields.get(b"host"), Some(&b"real:81"[..]));
        assert_eq!((head.fields.get(b"x"), head.fields.len()), (Some(&b"y"[..]), count));
        assert_eq!((&head.path[..], head.query.as_deref()), (&b"/p"[..], Some(&b"q"[..])));
    }
}

#[test]
fn nothing_is_read_behind_a_refusal() {
    let mut server = Server::new();
    server.feed(format!("GET / HTTP/1.1\r\nHost: a b\r\n\r\n{HIDDEN}"));
    server.assert_refused(Host);
    server.feed(HIDDEN).eof();
    assert!(server.seen.is_empty() && server.written().is_empty());
    assert_eq!((server.closing(), server.protocol.deadline()), (Some(Closing::Linger), None));
}

#[test]
fn a_refused_head_request_gets_no_content() {
    let mut server = Server::new();
    let answer = server.feed("HEAD / HTTP/1.1\r\n\r\n").text();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}
