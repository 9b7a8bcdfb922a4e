//! [`Files`]: a handler that answers with files below a directory, without a worker.
//!
//! ```text
//!  path ──▶ target ──▶ root ──▶ open file ──▶ protocol::files::respond ──▶ parts
//!             └──────────┴─ no file: declined, and the next handler is asked
//! ```
//!
//! Opening a file, and reading a small one, is done in the event loop: where the disk has to be asked,
//! the thread waits for it, as nginx does without `aio`.

pub(crate) mod held;
mod listing;
pub mod redirects;
pub mod root;
pub(crate) mod sending;
mod target;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, StatusCode};
use wire::shm::Counter;
use wire::{ExchangeId, Holder, Part, Reason, RequestHead, ids};

use self::held::HeldFiles;
use self::root::{Found, Missing, OpenedFile, Root, Symlinks};
use self::sending::{Parts, head_of, parts};
use self::target::{FileTarget, is_program};
use super::{ExchangeKey, Handler, HandlerId, NewRequest};
use crate::error_log::Kind;
use crate::protocol::files::{
    ContentCoding, FileContent, FileOptions, FileResponse, accepted_codings, media_type, respond,
};
use crate::protocol::message::plain_response;
use crate::shared::SharedState;
use crate::turn::Turn;

/// Which files are served, and how.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// The directory below which all of them lie; absolute.
    pub root: PathBuf,
    /// Names of files that answer for their directory; the first one that is there.
    pub index: Vec<String>,
    /// Whether a directory without such a file is answered with a list of what is in it.
    pub autoindex: bool,
    /// Which symbolic links are followed.
    pub symlinks: Symlinks,
    /// Whether `name.br`, `name.zst` or `name.gz` is sent for `name`, to clients that take it.
    pub precompressed: bool,
    /// Value of `Cache-Control`.
    pub cache_control: Option<Bytes>,
    /// Whether who is asked next runs PHP files: then one of `index` that is there answers for its
    /// directory, by being run.
    pub runs_programs: bool,
    /// Nobody else answers on this port: methods other than GET and HEAD get 405.
    pub alone: bool,
}

/// Why no file is sent for a directory.
enum Absent {
    /// A program answers for it.
    Program,
    /// The file cannot be opened.
    Missing(Missing),
}

/// Answers with files.
#[derive(Debug)]
pub(super) struct Files {
    config: FilesConfig,
    common: SharedState,
    root: Root,
    held: HeldFiles,
    /// Number of the last exchange.
    last: u64,
    id: HandlerId,
}

impl Files {
    pub(super) fn new(id: HandlerId, config: &FilesConfig, common: SharedState) -> Self {
        Self {
            root: Root::new(config.root.clone(), config.symlinks),
            config: config.clone(),
            common,
            held: HeldFiles::default(),
            last: 0,
            id,
        }
    }

    /// The answer; `None` where there is no file.
    fn answer(&mut self, head: &RequestHead, turn: &mut Turn) -> Option<Parts> {
        let _about = ids::about(&head.ids);
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        if !reads && !self.config.alone {
            return None;
        }
        let target = FileTarget::of(&head.path)?;
        // The root is a directory, and opened only to be listed.
        let root = target.path.is_empty() && !self.config.autoindex;
        let found = match root {
            true => None,
            false => match self.root.open(target.relative(), turn.now()) {
                Ok(found) => Some(found),
                Err(missing) => return self.missing(missing, head, turn),
            },
        };
        let (file, path) = match found {
            Some(Found::File(_)) if target.is_directory => return None,
            Some(Found::File(file)) => (file, target.path.clone()),
            directory => match (self.index(&target, turn), directory) {
                (Some(Ok(found)), _) => found,
                (Some(Err(Absent::Missing(missing))), _) => {
                    return self.missing(missing, head, turn);
                }
                (Some(Err(Absent::Program)), _) => return None,
                (None, Some(Found::Directory(directory))) if self.config.autoindex => {
                    if !target.is_directory {
                        return Some(redirect(&target, head));
                    }
                    let shown = target.shown();
                    return Some(listing::list(directory, &shown).map_or_else(failed, page));
                }
                (None, _) => return None,
            },
        };
        if path.len() != target.path.len() && !target.is_directory {
            return Some(redirect(&target, head));
        }
        if !reads {
            return Some(refuse(StatusCode::METHOD_NOT_ALLOWED, &[(b"allow", b"GET, HEAD")]));
        }
        Some(self.send(&path, file, head, turn))
    }

    /// The file that answers for a directory, and its path.
    fn index(
        &mut self,
        target: &FileTarget,
        turn: &mut Turn,
    ) -> Option<Result<(OpenedFile, Vec<u8>), Absent>> {
        for name in &self.config.index {
            let path = target.child(name.as_bytes());
            let program = is_program(&path);
            if program && !self.config.runs_programs {
                continue;
            }
            match self.root.open(Path::new(std::ffi::OsStr::from_bytes(&path)), turn.now()) {
                Ok(Found::File(_)) if program => return Some(Err(Absent::Program)),
                Ok(Found::File(file)) => return Some(Ok((file, path))),
                Ok(Found::Directory(_)) | Err(Missing::NoFile) => {}
                Err(missing) => return Some(Err(Absent::Missing(missing))),
            }
        }
        None
    }

    /// What becomes of a request whose file cannot be opened.
    fn missing(&mut self, missing: Missing, head: &RequestHead, turn: &mut Turn) -> Option<Parts> {
        match missing {
            Missing::NoFile => None,
            Missing::Root(error) => {
                let line = format_args!(
                    "document_root {} cannot be opened: {error}; until it can, requests are answered \
                     as if it were empty",
                    self.config.root.display()
                );
                turn.error_log.log(Kind::File, turn.clock.now().instant, line);
                None
            }
            Missing::Denied => Some(refuse(StatusCode::FORBIDDEN, &[])),
            Missing::Descriptors => Some(self.too_many(turn)),
            Missing::Failed(error) => {
                let path = head.path.escape_ascii().to_string();
                let line = format_args!(
                    "the client gets 500: the file for {path} below {} cannot be opened: {error}",
                    self.config.root.display()
                );
                turn.error_log.log(Kind::File, turn.clock.now().instant, line);
                Some(failed())
            }
        }
    }

    fn too_many(&mut self, turn: &mut Turn) -> Parts {
        self.common.shared.add(Counter::FilesRefused, 1);
        turn.error_log.log(
            Kind::File,
            turn.clock.now().instant,
            format_args!(
                "a file cannot be kept open until its client has taken it: {} are; the client gets \
                 503. Raise the limit of open files (ulimit -n) or lower max_connection",
                self.common.files.held(Holder::Sent)
            ),
        );
        vec![Part::Abort(Reason::Overloaded)]
    }

    fn send(
        &mut self,
        path: &[u8],
        file: OpenedFile,
        head: &RequestHead,
        turn: &mut Turn,
    ) -> Parts {
        let media_type = media_type(path);
        let mut options = FileOptions {
            media_type: Some(media_type.as_bytes()),
            ranges: true,
            ..FileOptions::default()
        };
        let file = match self.config.precompressed {
            true => self.compressed(path, file, head, &mut options, turn),
            false => file,
        };
        let now = turn.clock.now().unix_micros;
        let mut response = respond(&head.method, &head.fields, &file.facts, &options, now);
        if !response.status.is_client_error() {
            let cache = self.config.cache_control.as_ref();
            response.fields.extend(cache.map(|value| (&b"cache-control"[..], value.to_vec())));
        }
        if self.config.precompressed {
            response.fields.push((b"vary", b"accept-encoding".to_vec()));
        }
        self.parts(response, file, head, turn)
    }

    /// The neighbour of the file with the coding that the client likes best, if there is one; the file
    /// itself otherwise. One that is older than the file is of a former one.
    fn compressed(
        &mut self,
        path: &[u8],
        file: OpenedFile,
        head: &RequestHead,
        options: &mut FileOptions<'_>,
        turn: &mut Turn,
    ) -> OpenedFile {
        let seconds = |file: &OpenedFile| file.facts.modified.div_euclid(1_000_000_000);
        for coding in accepted_codings(&head.fields, &ContentCoding::ALL) {
            let path = [path, coding.suffix().as_bytes()].concat();
            let opened = self.root.open(Path::new(std::ffi::OsStr::from_bytes(&path)), turn.now());
            match opened {
                Ok(Found::File(other)) if seconds(&other) >= seconds(&file) => {
                    options.coding = Some(coding);
                    return other;
                }
                _ => {}
            }
        }
        file
    }

    fn parts(
        &mut self,
        response: FileResponse,
        file: OpenedFile,
        request: &RequestHead,
        turn: &mut Turn,
    ) -> Parts {
        let fields = response.fields.iter().map(|(name, value)| (*name, &value[..]));
        let sent = head_of(response.status, response.content.len(), fields);
        let content = match response.content {
            _ if request.method == Method::HEAD => FileContent::Nothing,
            content => content,
        };
        parts(sent, content, file, &mut self.held, &self.common.files)
            .unwrap_or_else(|| self.too_many(turn))
    }
}

impl Handler for Files {
    fn open(
        &mut self,
        request: NewRequest,
        turn: &mut Turn,
    ) -> Result<ExchangeId, Box<NewRequest>> {
        let Some(parts) = self.answer(&request.head, turn) else { return Err(Box::new(request)) };
        for counter in [Counter::Requests, Counter::Responses] {
            self.common.shared.add(counter, 1);
        }
        self.last += 1;
        let id = ExchangeId::new(0, self.last);
        let exchange = ExchangeKey { handler: self.id, id };
        turn.answer(request.conn, request.stream, exchange, parts);
        Ok(id)
    }

    /// The answer has been made; what follows of the request is of no interest.
    fn receive(&mut self, _id: ExchangeId, _part: Part<Box<RequestHead>>, _turn: &mut Turn) {}

    fn credit(&mut self, _id: ExchangeId, _bytes: u64) {}

    fn grow_window(&mut self, _id: ExchangeId, _bytes: u32) {}

    fn open_exchanges(&self) -> usize {
        0
    }
}

/// Sends the client to the same path with a slash at its end, so that relative links are right.
fn redirect(target: &FileTarget, request: &RequestHead) -> Parts {
    let mut location = target.encoded();
    location.push(b'/');
    if let Some(query) = &request.query {
        location.extend([b"?", &query[..]].concat());
    }
    refuse(StatusCode::MOVED_PERMANENTLY, &[(b"location", &location)])
}

fn page(html: String) -> Parts {
    let fields = [(&b"content-type"[..], &b"text/html; charset=utf-8"[..])];
    let head = head_of(StatusCode::OK, html.len() as u64, fields.into_iter());
    vec![Part::Head(head), Part::Body(html.into()), Part::End(None)]
}

fn failed() -> Parts {
    vec![Part::Abort(Reason::Internal)]
}

fn refuse(status: StatusCode, fields: &[(&[u8], &[u8])]) -> Parts {
    let (mut head, content) = plain_response(status);
    head.fields = head.fields.iter().chain(fields.iter().copied()).collect();
    vec![Part::Head(head), Part::Body(content), Part::End(None)]
}
