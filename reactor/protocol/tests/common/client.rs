//! A client that is strict about what it reads. Semantic requests and replies, so that a case is
//! written once for every version.

use httparse::{EMPTY_HEADER, Status};

/// A request, whatever the version.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: &'static str,
    pub target: &'static str,
    /// `localhost` unless it is told.
    pub authority: Option<&'static str>,
    /// The connection's unless it is told: with HTTP/1, in an absolute-form target.
    pub scheme: Option<&'static str>,
    pub fields: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    pub trailers: Vec<(&'static str, String)>,
}

impl Request {
    pub fn new(method: &'static str, target: &'static str) -> Self {
        Self { method, target, ..Self::default() }
    }

    pub fn authority(mut self, authority: &'static str) -> Self {
        self.authority = Some(authority);
        self
    }

    pub fn scheme(mut self, scheme: &'static str) -> Self {
        self.scheme = Some(scheme);
        self
    }

    pub fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn trailer(mut self, name: &'static str, value: &str) -> Self {
        self.trailers.push((name, value.into()));
        self
    }
}

/// Field lines, names in lower case.
pub type Lines = Vec<(String, Vec<u8>)>;

/// A response as a client understood it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Statuses and fields of interim responses.
    pub interim: Vec<(u16, Lines)>,
    pub status: u16,
    pub reason: String,
    pub fields: Lines,
    pub body: Vec<u8>,
    pub trailers: Lines,
    /// The client can tell that it has all of it.
    pub complete: bool,
    /// The content ended with the connection.
    pub until_close: bool,
}

impl Reply {
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(n, _)| n == name);
        let value = found.next().map(|(_, value)| std::str::from_utf8(value).expect("text"));
        assert!(found.next().is_none(), "{name} twice");
        value
    }
}

/// A request as HTTP/1.1 bytes: by length, or in chunks when there are trailers.
pub fn encode(request: &Request) -> Vec<u8> {
    let Request { method, target, .. } = request;
    let authority = request.authority.unwrap_or("localhost");
    let target = match request.scheme {
        Some(scheme) => format!("{scheme}://{authority}{target}"),
        None => (*target).to_owned(),
    };
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\n");
    for (name, value) in &request.fields {
        bytes += &format!("{name}: {value}\r\n");
    }
    let body = request.body.clone().unwrap_or_default();
    if request.trailers.is_empty() {
        if request.body.is_some() {
            bytes += &format!("Content-Length: {}\r\n", body.len());
        }
        return [format!("{bytes}\r\n").as_bytes(), &body].concat();
    }
    bytes += "Transfer-Encoding: chunked\r\n\r\n";
    let mut bytes = bytes.into_bytes();
    for piece in body.chunks(7) {
        bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
        bytes.extend_from_slice(piece);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n");
    for (name, value) in &request.trailers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Reads one response, as an HTTP/1.1 client that sent a HEAD request or another one. `closed` says
/// that the connection ended in order behind these bytes. Returns how many bytes were used.
pub fn decode(bytes: &[u8], head_only: bool, closed: bool) -> (Reply, usize) {
    let decoded = try_decode(bytes, head_only, closed);
    decoded.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)))
}

/// As [`decode`]; `None` when the head is not complete.
pub fn try_decode(bytes: &[u8], head_only: bool, closed: bool) -> Option<(Reply, usize)> {
    let mut reply = Reply::default();
    let mut at = 0;
    loop {
        let mut headers = [EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let Status::Complete(used) = head.parse(&bytes[at..]).expect("a head") else {
            return None;
        };
        at += used;
        let status = head.code.expect("a code");
        let fields: Vec<_> = lower(head.headers);
        if status < 200 {
            reply.interim.push((status, fields));
            continue;
        }
        reply.status = status;
        reply.reason = head.reason.unwrap_or_default().into();
        reply.fields = fields;
        break;
    }
    at += content(&mut reply, &bytes[at..], head_only, closed);
    Some((reply, at))
}

fn lower(headers: &[httparse::Header<'_>]) -> Lines {
    headers.iter().map(|h| (h.name.to_ascii_lowercase(), h.value.to_vec())).collect()
}

fn content(reply: &mut Reply, rest: &[u8], head_only: bool, closed: bool) -> usize {
    let length = reply.get("content-length").map(|v| v.parse::<usize>().expect("a length"));
    let coding = reply.get("transfer-encoding").map(str::to_owned);
    assert!(length.is_none() || coding.is_none(), "both framings: {reply:?}");
    if head_only || matches!(reply.status, 204 | 304) {
        reply.complete = true;
        return 0;
    }
    match (length, coding.as_deref()) {
        (Some(length), _) => {
            let have = length.min(rest.len());
            reply.body = rest[..have].to_vec();
            reply.complete = have == length;
            have
        }
        (None, Some("chunked")) => chunks(reply, rest),
        (None, Some(other)) => panic!("coding {other}"),
        (None, None) => {
            reply.body = rest.to_vec();
            (reply.complete, reply.until_close) = (closed, true);
            rest.len()
        }
    }
}

fn chunks(reply: &mut Reply, rest: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Ok(Status::Complete((used, size))) = httparse::parse_chunk_size(&rest[at..]) else {
            return rest.len();
        };
        at += used;
        let size = size as usize;
        if size == 0 {
            break;
        }
        let Some(chunk) = rest.get(at..at + size + 2) else {
            reply.body.extend_from_slice(&rest[at..rest.len().min(at + size)]);
            return rest.len();
        };
        assert_eq!(&chunk[size..], b"\r\n");
        reply.body.extend_from_slice(&chunk[..size]);
        at += size + 2;
    }
    let mut headers = [EMPTY_HEADER; 16];
    match httparse::parse_headers(&rest[at..], &mut headers) {
        Ok(Status::Complete((used, headers))) => {
            reply.trailers = lower(headers);
            reply.complete = true;
            at + used
        }
        Ok(Status::Partial) => rest.len(),
        Err(error) => panic!("{error} in trailers"),
    }
}
