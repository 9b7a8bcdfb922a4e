//! [`IdSource`]: gives each request its ids: those that somebody says whose word is taken, or new ones.

use std::fmt;

use boring::rand::rand_bytes;
use bytes::Bytes;
use wire::head::IdField;
use wire::{Part, Reason, RequestHead, RequestId, RequestIds, ResponseHead, Version};

use crate::protocol::message;

/// How requests get their ids.
#[derive(Debug, Clone)]
pub struct RequestIdSettings {
    /// The field that ids are taken from, and that responses have them in; a name in lower case.
    pub field: Bytes,
    /// Whose ids are taken.
    pub trust: IdTrust,
    /// Whether responses have the id.
    pub in_responses: bool,
}

impl Default for RequestIdSettings {
    fn default() -> Self {
        Self {
            field: Bytes::from_static(b"x-request-id"),
            trust: IdTrust::Proxies,
            in_responses: false,
        }
    }
}

/// Whose ids are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdTrust {
    /// Nobody's: each request gets a new one.
    Nobody,
    /// Those of the proxies that the port trusts.
    #[default]
    Proxies,
    /// Everybody's.
    Everybody,
}

/// Gives the requests of one thread their ids.
pub(crate) struct IdSource {
    settings: RequestIdSettings,
    random: Box<[u8; RANDOM_BYTES]>,
    /// How many of those were used.
    used: usize,
}

/// Random bytes that are fetched in one go: those of 51 ids.
const RANDOM_BYTES: usize = 51 * ID_RANDOM_BYTES;
/// Random bytes of one id: 74 bits are used.
const ID_RANDOM_BYTES: usize = 10;

impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdSource").field(&self.settings).finish()
    }
}

impl IdSource {
    /// One that begins.
    pub fn new(settings: RequestIdSettings) -> Self {
        Self { settings, random: Box::new([0; RANDOM_BYTES]), used: RANDOM_BYTES }
    }

    /// Gives a request its ids.
    pub fn assign(&mut self, head: &mut RequestHead) {
        let said = self.said(head);
        head.ids.request = Some(said.unwrap_or_else(|| self.make(head.origin.received_at / 1000)));
    }

    /// What the request says of itself, if its sender is believed: one id, and nothing beside it.
    fn said(&self, head: &RequestHead) -> Option<RequestId> {
        let believed = match self.settings.trust {
            IdTrust::Nobody => false,
            // Early data may come from anywhere (RFC 8446, 8).
            IdTrust::Proxies => head.origin.trusted_proxy && !is_early(head),
            IdTrust::Everybody => true,
        };
        if !believed {
            return None;
        }
        let name = &self.settings.field[..];
        let mut values = head.fields.iter().filter(|(of, _)| *of == name);
        let (_, value) = values.next()?;
        if values.next().is_some() {
            return None;
        }
        RequestId::parse(value)
    }

    /// A UUID of version 7 (RFC 9562, 5.7): milliseconds since 1970, then 74 random bits. So ids sort by
    /// time, and no two are alike.
    fn make(&mut self, millis: u64) -> RequestId {
        if self.used == RANDOM_BYTES {
            // The library never returns an error here: it ends the process when there is no randomness.
            let _ = rand_bytes(&mut self.random[..]);
            self.used = 0;
        }
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&self.random[self.used..self.used + ID_RANDOM_BYTES]);
        self.used += ID_RANDOM_BYTES;
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        RequestId::uuid(&bytes)
    }

    /// Puts the id into the final head of a response, unless the handler has put one there itself.
    pub fn mark(&self, ids: &RequestIds, head: &mut ResponseHead) {
        let Some(id) = ids.request.as_ref().filter(|_| self.settings.in_responses) else { return };
        let name = &self.settings.field;
        if head.status.is_informational() || head.fields.get(name).is_some() {
            return;
        }
        match &name[..] {
            // The server has those of its own, unless the fields have them. One that does not fit any more goes
            // without.
            b"server" | b"alt-svc" => drop(head.fields.set(name, id.as_bytes())),
            _ => {
                head.id_field = Some(Box::new(IdField { name: name.clone(), id: id.clone() }));
            }
        }
    }

    /// The response in the place of one that breaks off before its head, as protocols would make it
    /// themselves, with the id; `None`: let them.
    pub fn failure(&self, ids: &RequestIds, reason: Reason) -> Option<[Part<ResponseHead>; 3]> {
        if !self.settings.in_responses || ids.request.is_none() {
            return None;
        }
        let (mut head, content) = message::plain_response(message::abort_status(reason)?);
        self.mark(ids, &mut head);
        Some([Part::Head(head), Part::Body(content), Part::End(None)])
    }
}

/// Whether a request came before its handshake was done.
fn is_early(head: &RequestHead) -> bool {
    head.version == Version::Http3 && head.fields.get(b"early-data").is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::head::Origin;
    use wire::{Fields, Scheme};

    use super::*;

    fn head(lines: &[(&str, &str)], trusted_proxy: bool) -> RequestHead {
        let lines = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        RequestHead {
            method: http::Method::GET,
            path: Bytes::from_static(b"/"),
            query: None,
            version: Version::Http11,
            scheme: Scheme::Http,
            fields: lines.collect::<Fields>(),
            origin: Origin {
                trusted_proxy,
                received_at: 0x0123_4567_89ab * 1000 + 7,
                ..Origin::default()
            },
            tls: None,
            ids: RequestIds::NONE,
            streamed: false,
            upgrade: None,
        }
    }

    fn source(trust: IdTrust) -> IdSource {
        IdSource::new(RequestIdSettings { trust, ..RequestIdSettings::default() })
    }

    fn id_of(source: &mut IdSource, mut head: RequestHead) -> String {
        source.assign(&mut head);
        head.ids.request.expect("an id").as_str().to_owned()
    }

    fn is_made(id: &str) -> bool {
        id.starts_with("01234567-89ab-7") && id.len() == 36 && "89ab".contains(&id[19..20])
    }

    #[test]
    fn new_ids_are_uuids_of_version_7_and_all_different() {
        let mut source = source(IdTrust::Proxies);
        let ids: BTreeSet<_> = (0..1000).map(|_| id_of(&mut source, head(&[], true))).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert!(is_made(&id), "{id}");
            let shape: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(shape, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|byte| b"0123456789abcdef-".contains(&byte)), "{id}");
        }
    }

    #[test]
    fn only_those_are_believed_who_are_trusted() {
        let said = [("x-request-id", "from-the-proxy")];
        for (trust, proxy, taken) in [
            (IdTrust::Nobody, true, false),
            (IdTrust::Proxies, false, false),
            (IdTrust::Proxies, true, true),
            (IdTrust::Everybody, false, true),
        ] {
            let id = id_of(&mut source(trust), head(&said, proxy));
            assert_eq!(id == "from-the-proxy", taken, "{trust:?} {proxy} {id}");
            assert!(taken || is_made(&id));
        }
    }

    #[test]
    fn what_cannot_be_an_id_is_replaced() {
        let long = "a".repeat(wire::limits::REQUEST_ID_BYTES_MAX + 1);
        for value in ["", "a b", "a, b", "\"a\"", "a\u{1b}[0m", "<script>", &long] {
            assert!(is_made(&id_of(
                &mut source(IdTrust::Everybody),
                head(&[("x-request-id", value)], false)
            )));
        }
        // Two proxies that do not agree.
        let lines = [("x-request-id", "a"), ("x-request-id", "b")];
        assert!(is_made(&id_of(&mut source(IdTrust::Everybody), head(&lines, false))));
    }

    #[test]
    fn a_handlers_own_field_stays_and_interim_heads_have_none() {
        let settings = RequestIdSettings { in_responses: true, ..RequestIdSettings::default() };
        let source = IdSource::new(settings);
        let ids = RequestIds { request: RequestId::parse(b"id"), trace: None };
        let (mut own, _) = message::plain_response(http::StatusCode::OK);
        own.fields = [(&b"x-request-id"[..], &b"own"[..])].into_iter().collect();
        source.mark(&ids, &mut own);
        assert_eq!(own.id_field, None);
        assert_eq!(own.fields.get_all(b"x-request-id").collect::<Vec<_>>(), [b"own"]);
        let (mut interim, _) = message::plain_response(http::StatusCode::EARLY_HINTS);
        source.mark(&ids, &mut interim);
        assert_eq!(interim.id_field, None);
        let failure = source.failure(&ids, Reason::WorkerLost);
        let Some([Part::Head(head), ..]) = failure else { panic!("{failure:?}") };
        let field = head.id_field.as_deref().map(|field| (&field.name[..], field.id.as_str()));
        assert_eq!((head.status.as_u16(), field), (502, Some((&b"x-request-id"[..], "id"))));
        assert!(source.failure(&ids, Reason::ClientGone).is_none());
        assert!(source.failure(&RequestIds::NONE, Reason::WorkerLost).is_none());
    }
}
