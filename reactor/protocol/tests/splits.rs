//! How the bytes of a client are cut must not matter, and no bytes may do harm.

mod common;

use common::{End, Seen, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A request that is valid, and what is to be seen of it.
#[derive(Debug, Clone)]
struct Valid {
    method: &'static str,
    path: String,
    query: Option<String>,
    old: bool,
    fields: Vec<(String, String)>,
    content: Content,
    empty_line: bool,
}

#[derive(Debug, Clone)]
enum Content {
    None,
    Length(Vec<u8>),
    Chunks { chunks: Vec<Vec<u8>>, extension: String, trailers: Vec<(String, String)> },
}

impl Valid {
    fn encode(&self) -> Vec<u8> {
        let query = self.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        let version = if self.old { "HTTP/1.0\r\nConnection: keep-alive" } else { "HTTP/1.1" };
        let mut text = if self.empty_line { "\r\n".to_owned() } else { String::new() };
        text += &format!("{} {}{query} {version}\r\nhOST: a.b:80\r\n", self.method, self.path);
        for (name, value) in &self.fields {
            text += &format!("X-{name}:{value}\r\n");
        }
        match &self.content {
            Content::None => format!("{text}\r\n").into_bytes(),
            Content::Length(content) => {
                let head = format!("{text}Content-Length: {}\r\n\r\n", content.len());
                [head.as_bytes(), content].concat()
            }
            Content::Chunks { chunks, extension, trailers } => {
                let mut bytes = format!("{text}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
                for chunk in chunks {
                    bytes.extend(format!("{:X}{extension}\r\n", chunk.len()).bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n");
                for (name, value) in trailers {
                    bytes.extend(format!("X-{name}: {value}\r\n").bytes());
                }
                bytes.extend(b"\r\n");
                bytes
            }
        }
    }

    fn assert_seen(&self, seen: &Seen) {
        assert_eq!(seen.head.method, self.method);
        assert_eq!(&seen.head.path[..], self.path.as_bytes());
        assert_eq!(seen.head.query.as_deref(), self.query.as_ref().map(|query| query.as_bytes()));
        assert_eq!(seen.head.fields.get(b"host"), Some(&b"a.b:80"[..]));
        let is_extra = |(name, _): &(&[u8], &[u8])| name.starts_with(b"x-");
        assert_eq!(
            seen.head.fields.iter().filter(is_extra).map(owned).collect::<Vec<_>>(),
            lower(&self.fields)
        );
        let (content, trailers) = match &self.content {
            Content::None => (Vec::new(), &[][..]),
            Content::Length(content) => (content.clone(), &[][..]),
            Content::Chunks { chunks, trailers, .. } => (chunks.concat(), &trailers[..]),
        };
        assert_eq!(seen.body, content);
        let Some(End::Complete(got)) = &seen.end else { panic!("{:?}", seen.end) };
        let got: Vec<_> = got.iter().flat_map(|t| t.iter()).map(owned).collect();
        assert_eq!(got, lower(trailers));
    }
}

fn owned((name, value): (&[u8], &[u8])) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(name), text(value))
}

fn lower(fields: &[(String, String)]) -> Vec<(String, String)> {
    let name = |name: &String| format!("x-{}", name.to_ascii_lowercase());
    fields.iter().map(|(n, v)| (name(n), v.trim().to_owned())).collect()
}

fn field() -> impl Strategy<Value = (String, String)> {
    ("[A-Za-z0-9_-]{1,10}", "[ \t]{0,2}[!-~]{0,12}[ \t]{0,2}")
}

fn content() -> impl Strategy<Value = Content> {
    let chunk = prop_oneof![vec(any::<u8>(), 1..20), vec(any::<u8>(), 4000..5000)];
    prop_oneof![
        Just(Content::None),
        vec(any::<u8>(), 0..9000).prop_map(Content::Length),
        (vec(chunk, 0..6), "(;[a-z]{1,4}(=\"[ -!#-~]{0,5}\")?)?", vec(field(), 0..3)).prop_map(
            |(chunks, extension, trailers)| Content::Chunks { chunks, extension, trailers }
        ),
    ]
}

fn request() -> impl Strategy<Value = Valid> {
    let methods = select(vec!["GET", "POST", "HEAD", "DELETE", "M-SEARCH"]);
    // A path with a NUL in it is refused.
    let path = "/[!-\"$->@-~]{0,20}".prop_map(|path: String| path.replace("%00", "%01"));
    let target = (path, prop::option::of("[!-\"$-~]{0,15}"));
    (methods, target, any::<bool>(), vec(field(), 0..5), content(), any::<bool>()).prop_map(
        |(method, (path, query), old, fields, content, empty_line)| {
            // Chunks are not for HTTP/1.0.
            let old = old && !matches!(content, Content::Chunks { .. });
            Valid { method, path, query, old, fields, content, empty_line }
        },
    )
}

/// Feeds the pieces and answers every request when it is complete.
fn serve<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Server {
    let mut server = Server::new();
    for piece in pieces {
        server.feed(piece);
        while answer(&mut server) {}
    }
    server
}

fn answer(server: &mut Server) -> bool {
    let due = server.seen.last().filter(|seen| matches!(seen.end, Some(End::Complete(_))));
    let Some(stream) = due.map(|seen| seen.stream) else { return false };
    let head = common::head(200, wire::BodyLength::Known(0), &[]);
    let flow = server.send(stream, wire::Part::Head(head));
    server.send(stream, wire::Part::End(None));
    server.written();
    flow == protocol::Flow::Ready
}

fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// What must not depend on the cuts. Content of a request that breaks off is no part of it: how
/// much of it was seen depends on when.
fn essence(server: &Server) -> (Vec<Seen>, bool) {
    let seen = server.seen.iter().cloned().map(|mut seen| {
        if !matches!(seen.end, Some(End::Complete(_))) {
            seen.body.clear();
        }
        seen
    });
    (seen.collect(), server.refusals.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_cut_of_a_valid_stream_gives_the_same_parts(
        requests in vec(request(), 1..4),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes: Vec<u8> = requests.iter().flat_map(Valid::encode).collect();
        let whole = serve([&bytes[..]]);
        prop_assert_eq!(&whole.refusals, &[]);
        prop_assert_eq!(whole.seen.len(), requests.len());
        requests.iter().zip(&whole.seen).for_each(|(request, seen)| request.assert_seen(seen));
        prop_assert_eq!(&serve(bytes.chunks(1)).seen, &whole.seen);
        prop_assert_eq!(&serve(cut(&bytes, &cuts)).seen, &whole.seen);
    }

    #[test]
    fn any_cut_of_a_damaged_stream_gives_the_same_parts(
        requests in vec(request(), 1..3),
        damage in vec((any::<prop::sample::Index>(), select(b"\r\n\0 :;,0aG\xff/\t".to_vec())), 1..4),
        insert: bool,
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes: Vec<u8> = requests.iter().flat_map(Valid::encode).collect();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes.splice(at..if insert { at } else { at + 1 }, [byte]);
        }
        let whole = essence(&serve([&bytes[..]]));
        prop_assert_eq!(&essence(&serve(bytes.chunks(1))), &whole);
        prop_assert_eq!(&essence(&serve(cut(&bytes, &cuts))), &whole);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, cuts in vec(any::<prop::sample::Index>(), 0..5)) {
        serve(cut(&bytes, &cuts)).eof();
    }

    #[test]
    fn no_verb_panics_at_any_time(bytes in "[GPOST /:HTP1.0\r\na-]{0,60}", verbs in vec(0u8..9, 0..30)) {
        let mut server = Server::new();
        let mut bytes = bytes.as_bytes().chunks(7);
        for verb in verbs {
            let stream = server.seen.last().map_or(0, |seen| seen.stream);
            match verb {
                0 | 1 => drop(bytes.next().map(|piece| server.feed(piece).seen.len())),
                2 => drop(server.eof().closing()),
                3 => drop(server.pass(std::time::Duration::from_secs(20)).closing()),
                4 => drop(server.shutdown().closing()),
                5 => server.respond(stream, common::head(200, wire::BodyLength::Streamed, &[]), b"x"),
                6 => drop(server.send(stream, common::body("x"))),
                7 => drop(server.send(stream, wire::Part::Abort(wire::Reason::WorkerLost))),
                _ => server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").written().clear(),
            }
        }
    }
}
