//! [`WebExchange`]: the request that PHP runs for, and its response.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use config::script::ScriptPath;
use http::Method;
use wire::RequestHead;
use worker::Reply;

use super::response::WebResponse;
use crate::compression::Compression;
use crate::engine::zend::globals;
use crate::php::port::PortContext;
use crate::php::request::body::Body;
use crate::php::request::parser_source::ParserSource;

/// A request and its response.
#[derive(Debug)]
pub struct WebExchange {
    /// The request's head.
    pub head: Box<RequestHead>,
    /// The script, if the request runs one.
    pub script: ScriptPath,
    /// The document root, without a slash at its end.
    pub root: Vec<u8>,
    /// The port's number; 0 on a Unix socket.
    pub port: u16,
    /// The response.
    pub response: WebResponse,
    /// The content of the request.
    pub body: Body,
    /// What is left of it for PHP's parsers.
    source: Option<ParserSource>,
    texts: Texts,
    /// Whether PHP has logged a fatal error.
    pub fatal_logged: bool,
}

/// What the engine has pointers to while the request runs.
#[derive(Debug)]
struct Texts {
    method: CString,
    query: CString,
    uri: CString,
    content_type: CString,
    cookie: Option<CString>,
    file: CString,
}

thread_local! {
    /// The request in work.
    static CURRENT: RefCell<Option<WebExchange>> = const { RefCell::new(None) };
}

/// Gives the request in work to `take`; `None` when there is none.
pub fn with<R>(take: impl FnOnce(&mut WebExchange) -> R) -> Option<R> {
    CURRENT.with(|current| current.try_borrow_mut().ok()?.as_mut().map(take))
}

impl WebExchange {
    /// The exchange that begins with this request.
    pub fn new(
        head: Box<RequestHead>,
        body: Body,
        reply: Reply,
        script: ScriptPath,
        root: &[u8],
        context: &PortContext,
        room: Vec<u8>,
    ) -> Self {
        let text = |bytes: &[u8]| CString::new(bytes).unwrap_or_default();
        let texts = Texts {
            method: text(head.method.as_str().as_bytes()),
            query: text(head.query.as_deref().unwrap_or_default()),
            uri: text(&target(&head)),
            content_type: text(head.fields.get(b"content-type").unwrap_or_default()),
            cookie: cookies(&head).map(|line| text(&line)),
            file: text(&[root, b"/", &script.file].concat()),
        };
        let compression = context.compression.as_ref();
        let compression = compression.map(|options| Compression::of(options, &head.fields));
        let response = WebResponse::new(reply, head.method == Method::HEAD, compression, room);
        Self {
            head,
            script,
            root: root.to_vec(),
            port: context.number,
            response,
            body,
            source: None,
            texts,
            fatal_logged: false,
        }
    }

    /// The path of the script.
    pub fn file(&self) -> &[u8] {
        self.texts.file.as_bytes()
    }

    /// Becomes the request in work: the engine's globals say so from now on.
    pub fn enter(self) {
        let length = match self.body.len() {
            Some(len) => i64::try_from(len).unwrap_or(i64::MAX),
            None => 0,
        };
        let is_head = self.head.method == Method::HEAD;
        let texts = &self.texts;
        let pointer = |text: &CString| text.as_ptr().cast_mut();
        // SAFETY: the texts stay where they are until `leave`, also when the exchange moves. No request
        // runs yet.
        unsafe {
            let sapi = globals::sapi();
            let info = &raw mut (*sapi).request_info;
            // Without it the engine would read neither content nor cookies.
            (*sapi).server_context = CONTEXT.as_ptr().cast_mut().cast();
            (*info).request_method = texts.method.as_ptr();
            (*info).query_string = pointer(&texts.query);
            (*info).request_uri = pointer(&texts.uri);
            (*info).path_translated = pointer(&texts.file);
            (*info).content_type = texts.content_type.as_ptr();
            (*info).content_length = length;
            (*info).headers_only = is_head;
            // As under php-fpm: `header('Location: …')` makes 302 of every method.
            (*info).proto_num = 1000;
            (*info).argc = 0;
            (*info).argv = std::ptr::null_mut();
            (*sapi).sapi_headers.http_response_code = 200;
        }
        CURRENT.set(Some(self));
    }

    /// Reads content for PHP's parsers; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        if self.source.is_none() {
            self.source = ParserSource::new(&self.body).ok();
        }
        self.source.as_mut().map_or(0, |source| source.fill(buffer))
    }

    /// Leaves out so many bytes of what PHP's parsers have not read.
    pub fn skip(&mut self, count: u64) -> bool {
        self.source.as_mut().is_some_and(|source| source.skip(count))
    }

    /// The value of `Cookie`, which the engine has a pointer to; null for none.
    pub fn cookie(&self) -> *mut c_char {
        self.texts.cookie.as_ref().map_or(std::ptr::null_mut(), |line| line.as_ptr().cast_mut())
    }
}

/// No request is in work any more.
pub fn leave() -> Option<WebExchange> {
    // SAFETY: the request has ended: nothing of the engine's looks at these.
    unsafe {
        let sapi = globals::sapi();
        let info = &raw mut (*sapi).request_info;
        (*sapi).server_context = std::ptr::null_mut();
        (*info).request_method = std::ptr::null();
        (*info).query_string = std::ptr::null_mut();
        (*info).request_uri = std::ptr::null_mut();
        (*info).path_translated = std::ptr::null_mut();
        (*info).content_type = std::ptr::null();
        (*info).cookie_data = std::ptr::null_mut();
        (*info).content_length = 0;
    }
    CURRENT.take()
}

const CONTEXT: &std::ffi::CStr = c"ferrite";

/// Path and query, as they came.
pub fn target(head: &RequestHead) -> Vec<u8> {
    match &head.query {
        Some(query) => [&head.path[..], b"?", query].concat(),
        None => head.path.to_vec(),
    }
}

/// All lines of `Cookie` in one (RFC 9113, 8.2.3).
fn cookies(head: &RequestHead) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = head.fields.get_all(b"cookie").collect();
    (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
}
