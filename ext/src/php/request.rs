//! `Ferrite\Http\Request`.

pub mod arriving;
pub mod body;
pub mod current;
pub mod decoding;
mod fields;
mod form;
pub mod handover;
pub mod methods;
mod names;
pub mod parser_source;
pub mod pieces;
mod server;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::path::Path;

use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use ext_php_rs::ffi::zend_object_handlers;
use ext_php_rs::types::Zval;
use log::Level;
use wire::{Fields, RequestHead};

use self::body::Body;
use crate::engine::zend::lazy::{self, Lazy};
use crate::engine::zend::object::{Class, NativeObject, Object};
use crate::engine::zend::string::Text;
use crate::engine::zend::value;
use crate::php::port::PortContext;
use crate::signatures::request::{LAZY, SIGNATURE, slot};

pub use self::form::{discard_uploads, forget_uploads};
pub use self::names::init as init_names;

static CLASS: Class = Class::new(&SIGNATURE);

/// Bytes of a path that a line of the log shows.
const LABEL_BYTES_MAX: usize = 200;

/// A request as PHP sees it.
#[derive(Debug)]
pub struct Request {
    message: Option<Message>,
    pending: u16,
}

#[derive(Debug)]
struct Message {
    head: Box<RequestHead>,
    body: Body,
    trailers: Option<Fields>,
    parse_cookie: bool,
    parse_post: bool,
    port_number: u16,
    /// Null once the request's own time is over: then uploads can be accepted no more.
    port: *const PortContext,
    /// Whether a parser's warning has been logged.
    warned: Cell<bool>,
}

impl Request {
    /// A new PHP object for a request, whose content is `body`, with one reference. `port` must stay until
    /// [`retire`](Self::retire).
    pub fn create(
        request: worker::IncomingRequest,
        body: Body,
        port: &PortContext,
    ) -> *mut Object<Self> {
        let origin = request.head.origin;
        let message = Message {
            head: request.head,
            body,
            trailers: request.trailers,
            parse_cookie: port.parse_cookie,
            parse_post: port.parse_post,
            port_number: port.number,
            port,
            warned: Cell::new(false),
        };
        let object = Object::create(Self { message: Some(message), pending: LAZY });
        // SAFETY: the object is new, and its class declares these two properties first.
        unsafe {
            Object::slot(object, slot::FD).write(value::long(origin.connection as i64));
            Object::slot(object, slot::STREAM_ID).write(value::long(origin.stream as i64));
        }
        object
    }

    /// The request's own time is over; the object may live on.
    pub fn retire(&mut self) {
        if let Some(message) = &mut self.message {
            message.port = std::ptr::null();
        }
    }

    /// The client's address and port; empty for one on a Unix socket.
    pub fn client(&self) -> String {
        let remote = self.message.as_ref().and_then(|message| message.head.origin.remote);
        remote.map(|address| address.to_string()).unwrap_or_default()
    }

    /// Names the request in a line of the log: `METHOD path`.
    pub fn label(&self) -> Label<'_> {
        Label(self.message.as_ref().map(|message| &*message.head))
    }
}

/// See [`Request::label`].
#[derive(Debug)]
pub struct Label<'a>(Option<&'a RequestHead>);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(head) = self.0 else { return f.write_str("request") };
        write!(f, "{} {}", head.method, OneLine(&label_path(head)))
    }
}

impl Label<'_> {
    /// The method and the path; empty without a request.
    pub fn parts(&self) -> (String, String) {
        let parts = self.0.map(|head| (head.method.to_string(), label_path(head).into_owned()));
        parts.unwrap_or_default()
    }
}

fn label_path(head: &RequestHead) -> Cow<'_, str> {
    String::from_utf8_lossy(&head.path[..head.path.len().min(LABEL_BYTES_MAX)])
}

impl NativeObject for Request {
    fn class() -> &'static Class {
        &CLASS
    }

    fn adapt(handlers: &mut zend_object_handlers) {
        lazy::adapt::<Self>(handlers);
    }

    fn detached() -> Self {
        Self { message: None, pending: LAZY }
    }
}

impl Lazy for Request {
    fn pending(&mut self) -> &mut u16 {
        &mut self.pending
    }

    unsafe fn make(this: *mut Object<Self>, slot: usize) -> Zval {
        // SAFETY: the caller's promise. The reference is not used behind a call that takes `this`.
        let Some(message) = (unsafe { &mut (*this).state.message }) else { return value::null() };
        match slot {
            slot::HEADER => fields::array(&message.head.fields),
            slot::SERVER => server::array(&message.head, message.port_number),
            slot::COOKIE => message.cookie(),
            slot::GET => message.get(),
            slot::TRAILER => {
                let arrived = message.body.trailers();
                let trailers = message.trailers.as_ref().or(arrived.as_ref());
                trailers.map_or_else(value::null, fields::array)
            }
            _ => {
                let [files, post, tmpfiles] = message.form();
                let mut wanted = value::null();
                for (at, value) in
                    [(slot::FILES, files), (slot::POST, post), (slot::TMPFILES, tmpfiles)]
                {
                    if at == slot {
                        wanted = value;
                    } else {
                        // SAFETY: the caller's promise.
                        unsafe { lazy::offer(this, at, value) };
                    }
                }
                wanted
            }
        }
    }
}

impl Message {
    fn get(&self) -> Zval {
        match self.head.query.as_deref() {
            None | Some([]) => value::null(),
            Some(query) => self.parsed(form::query(query)),
        }
    }

    fn cookie(&self) -> Zval {
        match fields::cookie_line(&self.head.fields) {
            Some(line) if self.parse_cookie => self.parsed(form::cookies(line)),
            _ => value::null(),
        }
    }

    /// `files`, `post` and `tmpfiles`.
    fn form(&mut self) -> [Zval; 3] {
        let nothing = || [value::null(), value::null(), value::null()];
        if self.body.is_empty() {
            return nothing();
        }
        let Some(content_type) = self.head.fields.get(b"content-type") else { return nothing() };
        let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
        let media_type = media_type.trim_ascii();
        let parsed = if media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            self.body.collect().and_then(|()| self.urlencoded())
        } else if media_type.eq_ignore_ascii_case(b"multipart/form-data") {
            self.multipart(content_type)
        } else {
            return nothing();
        };
        parsed.unwrap_or_else(|error| {
            let label = Label(Some(&self.head));
            let line = format_args!("{label}: the body cannot be read: {error}");
            limited_with(LimitedEvent::Content, Level::Error, &[], line);
            nothing()
        })
    }

    fn urlencoded(&self) -> std::io::Result<[Zval; 3]> {
        let post = if self.parse_post {
            self.parsed(form::urlencoded(&self.body)?)
        } else {
            value::null()
        };
        Ok([value::null(), post, value::null()])
    }

    fn multipart(&self, content_type: &[u8]) -> std::io::Result<[Zval; 3]> {
        // SAFETY: the port stays as long as the pointer is set.
        let port = unsafe { self.port.as_ref() };
        let Some(port) = port.filter(|port| port.parse_post || port.parse_files) else {
            return Ok([value::null(), value::null(), value::null()]);
        };
        let directory = if port.parse_files { port.uploads.enter() } else { Path::new("") };
        let form = form::multipart(content_type, &self.body, port.parse_files, directory)?;
        self.warn(form.warning);
        let post = if port.parse_post { form.post } else { value::null() };
        Ok([form.files, post, form.tmpfiles])
    }

    fn parsed(&self, parsed: form::Parsed) -> Zval {
        self.warn(parsed.warning);
        parsed.value
    }

    /// Logs what a parser complains of, once: a client must not fill the log faster than by requests.
    fn warn(&self, warning: Option<String>) {
        if let Some(warning) = warning
            && !self.warned.replace(true)
        {
            // PHP puts the function that is running in front; it has nothing to do with it.
            let warning = warning.split_once("(): ").map_or(&warning[..], |(_, message)| message);
            let label = Label(Some(&self.head));
            let (method, path) = label.parts();
            limited_with(
                LimitedEvent::Parser,
                Level::Warn,
                &[("method", (&method[..]).into()), ("path", (&path[..]).into())],
                format_args!("{label}: {}", OneLine(warning)),
            );
        }
    }

    /// The request as HTTP/1.1 would have it; the original bytes are not kept.
    fn data(&mut self) -> std::io::Result<Text> {
        let head = &self.head;
        let mut data = Vec::with_capacity(1024);
        data.extend_from_slice(head.method.as_str().as_bytes());
        data.push(b' ');
        data.extend_from_slice(&head.path);
        if let Some(query) = &head.query {
            data.push(b'?');
            data.extend_from_slice(query);
        }
        data.push(b' ');
        data.extend_from_slice(head.version.as_str().as_bytes());
        data.extend_from_slice(b"\r\n");
        for (name, content) in head.fields.iter() {
            for part in [name, b": ", content, b"\r\n"] {
                data.extend_from_slice(part);
            }
        }
        data.extend_from_slice(b"\r\n");
        let body = self.body.text()?;
        data.extend_from_slice(body.as_bytes());
        Ok(Text::new(&data))
    }
}
