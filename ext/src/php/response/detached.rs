//! Detaching a response, and taking it over: what is in hand of it crosses from one worker to another.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::Bytes;
use ext_php_rs::types::Zval;
use http::{Method, StatusCode};
use wire::{ClaimToken, Claimed};
use worker::Reply;

use super::lines::Lines;
use super::outgoing::{OutgoingResponse, ResponsePhase};
use super::stream::StreamingResponse;
use super::{Response, check_owner};
use crate::compression::Compression;
use crate::engine::client;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::engine::zend::string::Text;
use crate::php::error::Failure;
use crate::php::server::Server;
use crate::signatures::response as given;

/// Responses that this worker remembers by their connections: as many as it may detach in a while.
const REMEMBERED_MAX: usize = 1024;

thread_local! {
    /// What this worker has detached, by the number of the connection, the last one at the end.
    static DETACHED: RefCell<VecDeque<(u64, ClaimToken)>> = const { RefCell::new(VecDeque::new()) };
}

/// `Response::token()`
pub fn token(call: &Call<'_>) -> Result<Returned, Failure> {
    check_owner()?;
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    let token = outgoing.token()?;
    Ok(Returned::Text(Text::new(token.to_string().as_bytes())))
}

/// `Response::detach()`
pub fn detach(call: &Call<'_>) -> Result<Returned, Failure> {
    check_owner()?;
    if client::end_if_left() {
        return Err(Failure::Pending);
    }
    let this = call.this::<Response>();
    // SAFETY: as above.
    let outgoing = unsafe { &mut (*this).state.outgoing };
    if outgoing.is_over() {
        return Ok(Returned::Bool(false));
    }
    let token = outgoing.token()?;
    let detached = outgoing.detach(&token)?;
    if detached {
        // SAFETY: as above; the slot holds an integer.
        remember(unsafe { (*this).state.connection }, token);
    }
    Ok(Returned::Bool(detached))
}

/// `Response::create()`
pub fn create(_: &Call<'_>, given: given::Create<'_>) -> Result<Returned, Failure> {
    let (server, name) = (given.server.dereference(), given.fd.map(Zval::dereference));
    let (argument, name) = match name.filter(|name| !name.is_null()) {
        None => (1, server),
        Some(name) if Object::<Server>::of_value(server).is_some() => (2, name),
        Some(_) => return Err(Failure::Type(1, "must be a Ferrite\\Http\\Server".to_owned())),
    };
    check_owner()?;
    let token = named(argument, name)?;
    let claimed = worker::claim(&token);
    let claimed = claimed
        .map_err(|error| Failure::State(format!("No response can be taken over here: {error}")))?;
    let response = match claimed {
        Some((reply, claimed)) => {
            let connection = claimed.head.origin.connection;
            Response::create_of(OutgoingResponse::taken_over(reply, *claimed)?, connection)
        }
        None => Response::create_of(OutgoingResponse::detached(), 0),
    };
    // SAFETY: the object is new; its reference is the caller's.
    Ok(Returned::Value(unsafe { Object::into_value(response) }))
}

/// The response that an argument names.
fn named(argument: u32, name: &Zval) -> Result<ClaimToken, Failure> {
    if let Some(number) = name.long() {
        return of_connection(number);
    }
    let Some(text) = name.zend_str().and_then(|text| text.as_str().ok()) else {
        let message = "must be a token or the number of a connection".to_owned();
        return Err(Failure::Type(argument, message));
    };
    match (text.parse(), text.parse::<u32>()) {
        (Ok(token), _) => Ok(token),
        // A number that was stored as text.
        (Err(_), Ok(number)) => of_connection(number.into()),
        (Err(_), Err(_)) => {
            let message = "must be what token() has returned, or the number of a connection";
            Err(Failure::Value(argument, message.to_owned()))
        }
    }
}

fn of_connection(number: i64) -> Result<ClaimToken, Failure> {
    DETACHED.with_borrow_mut(|all| {
        let at = all.iter().rposition(|(connection, _)| *connection as i64 == number);
        let token = at.and_then(|at| all.remove(at)).map(|(_, token)| token);
        token.ok_or_else(|| {
            Failure::State(format!(
                "This worker has detached no response on connection {number} that it has not taken over \
                 again; another worker takes it over by its token()"
            ))
        })
    })
}

fn remember(connection: u64, token: ClaimToken) {
    DETACHED.with_borrow_mut(|all| {
        if all.len() == REMEMBERED_MAX {
            all.pop_front();
        }
        all.push_back((connection, token));
    });
}

impl OutgoingResponse {
    /// Its name, which it gets now if it has none.
    fn token(&mut self) -> Result<ClaimToken, Failure> {
        if let Some(token) = &self.token {
            return Ok(**token);
        }
        let (ResponsePhase::Open(reply)
        | ResponsePhase::Streaming(StreamingResponse { reply, .. })) = &self.phase
        else {
            let message = "The response has been ended: there is nothing to take over";
            return Err(Failure::State(message.to_owned()));
        };
        let token = reply.token().map_err(|error| Failure::State(format!("getrandom: {error}")))?;
        self.token = Some(Box::new(token));
        Ok(token)
    }

    /// Leaves it to who takes it over by this token. `false`: the client has gone.
    fn detach(&mut self, token: &ClaimToken) -> Result<bool, Failure> {
        let state = self.in_hand()?;
        let (ResponsePhase::Open(reply)
        | ResponsePhase::Streaming(StreamingResponse { reply, .. })) = &mut self.phase
        else {
            return Ok(false);
        };
        match reply.detach(token, &state) {
            Ok(true) => {
                self.phase = ResponsePhase::Over;
                Ok(true)
            }
            Ok(false) => Err(Failure::State(
                "As many responses are detached as max_detached allows: answer this one now, or raise \
                 the option"
                    .to_owned(),
            )),
            Err(_) => {
                self.phase = ResponsePhase::Over;
                Ok(false)
            }
        }
    }

    /// Whether it was detached by another callback.
    pub fn is_taken_over(&self) -> bool {
        self.request.is_some()
    }

    /// A response that was detached, as far as it had come.
    fn taken_over(reply: Reply, claimed: Claimed) -> Result<Self, Failure> {
        let Claimed { head, state, .. } = claimed;
        let mut this = Self::detached();
        let missing = this.take_in_hand(&state).ok_or_else(|| {
            Failure::State("The response was detached by another version of the server".to_owned())
        })?;
        this.head_only = head.method == Method::HEAD;
        this.phase = match missing {
            None => {
                this.compression = Compression::of_port(head.origin.port, &head.fields);
                ResponsePhase::Open(reply)
            }
            Some(missing) => {
                ResponsePhase::Streaming(StreamingResponse { reply, missing, encoder: None })
            }
        };
        this.request = Some(head);
        Ok(this)
    }

    /// What is in hand of it, as bytes:
    ///
    /// ```text
    ///  | status u16 | phase u8 | missing u64 | untyped u8 | reason | fields | cookies | trailers |
    /// ```
    ///
    /// A text is its length (u32) and its bytes; a list is the number of its texts (u32) and the texts.
    fn in_hand(&self) -> Result<Vec<u8>, Failure> {
        let (phase, missing) = match &self.phase {
            // Its state is this process's.
            ResponsePhase::Streaming(StreamingResponse { encoder: Some(_), .. }) => {
                return Err(Failure::State(
                    "Content that is compressed while it is written stays with its handler: detach the \
                     response before write(), or set Content-Encoding to identity"
                        .to_owned(),
                ));
            }
            ResponsePhase::Streaming(StreamingResponse { missing: Some(missing), .. }) => {
                (2, *missing)
            }
            ResponsePhase::Streaming(_) => (1, 0),
            ResponsePhase::Open(_) | ResponsePhase::Over => (0, 0),
        };
        // What could not be sent cannot be handed on either.
        let cookies = self.cookies.iter().map(|cookie| (&b"set-cookie"[..], &cookie[..]));
        self.lines.build(&cookies.collect::<Vec<_>>())?;
        self.trailers.build(&[])?;
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(&self.status.as_u16().to_le_bytes());
        out.push(phase);
        out.extend_from_slice(&missing.to_le_bytes());
        out.push(self.untyped.into());
        put_list(&mut out, self.reason.iter().map(|reason| &reason[..]));
        put_lines(&mut out, &self.lines);
        put_list(&mut out, self.cookies.iter().map(|cookie| &cookie[..]));
        put_lines(&mut out, &self.trailers);
        Ok(out)
    }

    /// The inverse. `Some(missing)` when content has been sent.
    #[expect(clippy::option_option, reason = "whether, and then whether")]
    fn take_in_hand(&mut self, mut bytes: &[u8]) -> Option<Option<Option<u64>>> {
        let from = &mut bytes;
        self.status = StatusCode::from_u16(u16::from_le_bytes(take(from)?)).ok()?;
        let [phase] = take(from)?;
        let missing = u64::from_le_bytes(take(from)?);
        let [untyped] = take(from)?;
        self.untyped = untyped != 0;
        self.reason = take_list(from)?.into_iter().next().map(Bytes::copy_from_slice);
        self.lines = take_lines(from)?;
        self.cookies = take_list(from)?.into_iter().map(<[u8]>::to_vec).collect();
        self.trailers = take_lines(from)?;
        let streaming = (phase > 0).then(|| (phase == 2).then_some(missing));
        from.is_empty().then_some(streaming)
    }
}

fn put_list<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0u32;
    for text in texts {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text);
        count += 1;
    }
    out[at..at + 4].copy_from_slice(&count.to_le_bytes());
}

fn put_lines(out: &mut Vec<u8>, lines: &Lines) {
    put_list(out, lines.iter().flat_map(|(name, value)| [name, value]));
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*first)
}

fn take_list<'a>(from: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let count = u32::from_le_bytes(take(from)?);
    let mut texts = Vec::new();
    for _ in 0..count {
        let len = u32::from_le_bytes(take(from)?) as usize;
        let (text, rest) = from.split_at_checked(len)?;
        *from = rest;
        texts.push(text);
    }
    Some(texts)
}

fn take_lines(from: &mut &[u8]) -> Option<Lines> {
    let texts = take_list(from)?;
    let mut lines = Lines::default();
    for pair in texts.chunks_exact(2) {
        lines.append(&Text::new(pair[0]), [Text::new(pair[1])]);
    }
    Some(lines)
}
