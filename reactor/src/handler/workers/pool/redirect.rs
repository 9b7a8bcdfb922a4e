//! Files that a handler's response names: they are sent in its place, and its worker is free.

use http::{Method, StatusCode};
use log::kv::Value;
use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, RequestHead, ResponseHead, ToReactor, ToWorker, ids};

use super::WorkerPool;
use crate::error_log::Kind;
use crate::handler::files::redirects::{FileRedirects, NamedFile};
use crate::handler::files::root::{Found, Missing, OpenedFile, Root};
use crate::handler::files::sending::{Parts, head_of, parts};
use crate::handler::workers::body::Content;
use crate::handler::workers::in_flight::{Stage, Task, key_of};
use crate::handler::{ExchangeKey, HandlerId};
use crate::protocol::files::{FileContent, FileOptions, media_type, respond};
use crate::protocol::message::plain_response;
use crate::turn::Turn;

impl WorkerPool {
    /// Has the file that a response names take its place. What is given back goes on to the client.
    pub(super) fn redirected(
        &mut self,
        id: ExchangeId,
        message: ToReactor,
        turn: &mut Turn,
    ) -> Option<ToReactor> {
        let ToReactor::Part(Part::Head(head)) = message else { return Some(message) };
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else {
            return Some(ToReactor::Part(Part::Head(head)));
        };
        let redirects = self.common.config.ports[exchange.port].redirects.as_ref();
        let named = redirects.and_then(|redirects| redirects.named(&head.fields));
        let redirects = redirects.filter(|_| named.is_some()).cloned();
        let (
            Some(redirects),
            Some(named),
            Stage::Given(place),
            Task::Request { head: request, .. },
        ) = (redirects, named, &exchange.stage, &exchange.task)
        else {
            return Some(ToReactor::Part(Part::Head(head)));
        };
        let (place, request) = (*place, request.clone());
        if head.status.is_informational() || !has_content(head.status) {
            let fields = head.fields.iter().filter(|(name, _)| !redirects.takes(name)).collect();
            return Some(ToReactor::Part(Part::Head(ResponseHead { fields, ..head })));
        }
        exchange.answered = true;
        exchange.stage = Stage::Orphaned(place);
        if let Task::Request { content, .. } = &mut exchange.task {
            *content = Content::Empty;
        }
        let (conn, stream, upload) = (exchange.conn, exchange.stream, exchange.upload.take());
        if let Some(upload) = upload {
            // It would wait for content that is not asked for any more.
            if let Some(Some(link)) = self.links.get_mut(place.worker) {
                let part = Part::Abort(Reason::ClientGone);
                link.push(id, &ToWorker::Request { mark: place.mark, part });
                self.dirty.push(place.worker);
            }
            if upload.is_paused() {
                self.pause(id, false, turn);
            }
        }
        let parts = self.file_instead(&request, &head, named, &redirects, turn);
        let exchange = ExchangeKey { handler: HandlerId::Pool(self.id), id };
        turn.answer(conn, stream, exchange, parts);
        None
    }

    fn file_instead(
        &mut self,
        request: &RequestHead,
        head: &ResponseHead,
        named: NamedFile,
        redirects: &FileRedirects,
        turn: &mut Turn,
    ) -> Parts {
        let _about = ids::about(&request.ids);
        let opened = match &named.file {
            Some((root, path)) => Root::new(root.clone(), redirects.symlinks)
                .open(path, turn.now())
                .and_then(|found| match found {
                    Found::File(file) => Ok((file, path)),
                    Found::Directory(_) => Err(Missing::NoFile),
                }),
            None => Err(Missing::NoFile),
        };
        let sent = match opened {
            Ok((file, path)) => {
                let name = path.as_os_str().as_encoded_bytes();
                self.send_named(request, head, redirects, file, name, turn)
            }
            Err(Missing::Descriptors) => None,
            Err(missing) => return unnamed(head, &named, missing, turn),
        };
        sent.unwrap_or_else(|| {
            self.common.shared.add(Counter::FilesRefused, 1);
            turn.files_refused += 1;
            vec![Part::Abort(Reason::Overloaded)]
        })
    }

    /// The file with the handler's status and fields; with 200 as the request asks for it.
    fn send_named(
        &mut self,
        request: &RequestHead,
        head: &ResponseHead,
        redirects: &FileRedirects,
        file: OpenedFile,
        name: &[u8],
        turn: &mut Turn,
    ) -> Option<Parts> {
        let own = |name: &[u8]| head.fields.get(name);
        let media_type = media_type(name);
        let options = FileOptions {
            media_type: Some(own(b"content-type").unwrap_or(media_type.as_bytes())),
            coding: None,
            etag: own(b"etag"),
            last_modified: own(b"last-modified"),
            ranges: own(b"accept-ranges").is_none_or(|units| units.eq_ignore_ascii_case(b"bytes")),
        };
        // With another status the file is what the handler says instead of what was asked for.
        let method = if head.status == StatusCode::OK { &request.method } else { &Method::POST };
        let now = turn.clock.now().unix_micros;
        let response = respond(method, &request.fields, &file.facts, &options, now);
        let status = if response.status == StatusCode::OK { head.status } else { response.status };
        let kept = |name: &[u8]| {
            let replaced = response.fields.iter().any(|(other, _)| *other == name);
            let of_file = !response.status.is_success() && name.starts_with(b"content-");
            !(redirects.takes(name) || replaced || of_file || name == b"content-length")
        };
        let theirs = head.fields.iter().filter(|(name, _)| kept(name));
        let ours = response.fields.iter().map(|(name, value)| (*name, &value[..]));
        let sent = head_of(status, response.content.len(), theirs.chain(ours));
        let content = match response.content {
            _ if request.method == Method::HEAD => FileContent::Nothing,
            content => content,
        };
        parts(sent, content, file, &mut self.held, &self.common.files)
    }
}

/// The answer where there is no such file: 404, and a line in the log.
fn unnamed(head: &ResponseHead, named: &NamedFile, missing: Missing, turn: &mut Turn) -> Parts {
    let value = head.fields.get(named.field).unwrap_or_default().escape_ascii().to_string();
    let why: &dyn std::fmt::Display = match &missing {
        _ if named.file.is_none() => &"it is below none of the directories that the options name",
        Missing::Denied => &"the reactor may not read it",
        Missing::Root(error) | Missing::Failed(error) => error,
        Missing::NoFile | Missing::Descriptors => &"there is no regular file of that name",
    };
    let field = String::from_utf8_lossy(named.field);
    let line = format_args!("the client gets 404: {field} of a handler names {value}, but {why}");
    let fields = [("reason", Value::from_display(&why))];
    turn.error_log.log_with(Kind::Response, turn.clock.now().instant, &fields, line);
    let (head, content) = plain_response(StatusCode::NOT_FOUND);
    vec![Part::Head(head), Part::Body(content), Part::End(None)]
}

fn has_content(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}
