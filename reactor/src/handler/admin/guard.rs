//! Who may ask what of the admin listener: paths, methods, the token, and what keeps other web pages out.
//!
//! A Unix socket is guarded by its file's mode. A port is open to every program of the machine, browsers
//! among them, and a browser can be made to ask by any page that it shows:
//!
//! - by a form or `fetch` across origins (CSRF). So what changes something wants the field
//!   `Ferrite-Control`, which no page can add without a preflight (Fetch, "CORS-preflight request"), and a
//!   preflight is never answered with consent;
//! - by a name of its own that leads to 127.0.0.1 (DNS rebinding), so that the browser takes the answers for
//!   the page's own. So where no token is set, `Host` has to be an address of loopback or `localhost`.
//!
//! With a token the browser asks its user for it (Basic), and gives it to this origin alone.

use bytes::Bytes;
use http::{Method, StatusCode};
use wire::RequestHead;
use wire::metrics::text::ExpositionFormat;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdminEndpoint {
    /// The page for people.
    Page,
    /// The figures.
    Metrics,
    /// Whether the reactor lives.
    Health,
    /// Whether the server is to get requests.
    Ready,
    /// How it stands, as JSON.
    Status,
    /// What its workers do, as JSON.
    Workers,
    /// Its effective options, as JSON.
    Options,
    /// How it stands and what its workers do, again and again.
    Events,
    /// Replace the workers.
    Reload,
    /// Say to load balancers that it is to get no more.
    Drain,
    /// Stop the server.
    Stop,
}

impl AdminEndpoint {
    const ALL: [(&'static [u8], Self); 11] = [
        (b"/", Self::Page),
        (b"/metrics", Self::Metrics),
        (b"/healthz", Self::Health),
        (b"/readyz", Self::Ready),
        (b"/status", Self::Status),
        (b"/workers", Self::Workers),
        (b"/options", Self::Options),
        (b"/events", Self::Events),
        (b"/reload", Self::Reload),
        (b"/drain", Self::Drain),
        (b"/stop", Self::Stop),
    ];

    fn at(path: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == path).map(|(_, endpoint)| *endpoint)
    }

    fn changes(self) -> bool {
        matches!(self, Self::Reload | Self::Drain | Self::Stop)
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdminRefusal {
    /// No or another token.
    Token,
    /// `Host` may be another page's own name.
    Host,
    /// It may be another page's wish.
    Foreign,
    /// There is nothing of that path.
    Path,
    /// Another method is allowed there.
    Method(&'static str),
}

impl AdminRefusal {
    /// Its status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Host | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// What to do.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Token => {
                "send admin_token as Authorization: Bearer, or as the password of any user\n"
            }
            Self::Host => {
                "without admin_token the Host must be localhost or an address of loopback\n"
            }
            Self::Foreign => {
                "send the field Ferrite-Control: 1, and not from another site's page\n"
            }
            Self::Path => {
                "there is /, /metrics, /healthz, /readyz, /status, /workers, /options, /events, and by \
                 POST /reload, /drain and /stop\n"
            }
            Self::Method(_) => "this method is not allowed here\n",
        }
    }
}

/// What a request asks, if its client may.
pub(super) fn check(
    head: &RequestHead,
    token: Option<&Bytes>,
) -> Result<AdminEndpoint, AdminRefusal> {
    let over_tcp = head.origin.local.is_some();
    if over_tcp {
        match token {
            Some(token) if !has_token(head, token) => return Err(AdminRefusal::Token),
            None if !is_loopback(head.fields.get(b"host").unwrap_or_default()) => {
                return Err(AdminRefusal::Host);
            }
            _ => {}
        }
    }
    let endpoint = AdminEndpoint::at(&head.path).ok_or(AdminRefusal::Path)?;
    if endpoint.changes() {
        if head.method != Method::POST {
            return Err(AdminRefusal::Method("POST"));
        }
        if over_tcp && (head.fields.get(b"ferrite-control").is_none() || is_foreign(head)) {
            return Err(AdminRefusal::Foreign);
        }
    } else if head.method != Method::GET && head.method != Method::HEAD {
        return Err(AdminRefusal::Method("GET, HEAD"));
    }
    Ok(endpoint)
}

/// Which text of the figures a client wants (RFC 9110, 12.5.1).
pub(super) fn format(head: &RequestHead) -> ExpositionFormat {
    let accepted = head.fields.get_all(b"accept").flat_map(|line| line.split(|byte| *byte == b','));
    let mut weights = [0.0_f32; 2];
    for range in accepted.filter_map(|range| std::str::from_utf8(range).ok()) {
        let mut words = range.split(';').map(str::trim);
        let at = match words.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => 0,
            "text/plain" => 1,
            _ => continue,
        };
        let weight = words.find_map(|word| word.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        weights[at] = weights[at].max(weight.unwrap_or(0.0));
    }
    let [open, plain] = weights;
    if open > 0.0 && open >= plain {
        ExpositionFormat::OpenMetrics
    } else {
        ExpositionFormat::Prometheus
    }
}

/// Whether a browser says that the request is another site's page's.
fn is_foreign(head: &RequestHead) -> bool {
    let site = head.fields.get(b"sec-fetch-site");
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

/// `Bearer` with the token, or `Basic` with it as the password of any user (RFC 7617).
fn has_token(head: &RequestHead, token: &[u8]) -> bool {
    let value = head.fields.get(b"authorization").unwrap_or_default();
    let Some(at) = value.iter().position(|byte| *byte == b' ') else { return false };
    let (scheme, rest) = (&value[..at], value[at + 1..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return is_same(rest, token);
    }
    let decoded = std::str::from_utf8(rest).ok().and_then(|text| {
        scheme.eq_ignore_ascii_case(b"basic").then(|| boring::base64::decode_block(text).ok())?
    });
    let Some(decoded) = decoded else { return false };
    let password = decoded.iter().position(|byte| *byte == b':').map(|at| &decoded[at + 1..]);
    password.is_some_and(|password| is_same(password, token))
}

/// Takes as long wherever the two differ; only their lengths may show.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    given.len() == token.len() && boring::memcmp::eq(given, token)
}

/// Whether an authority is `localhost` or an address of loopback, with or without a port.
fn is_loopback(authority: &[u8]) -> bool {
    let Ok(authority) = std::str::from_utf8(authority) else { return false };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use wire::head::Origin;
    use wire::{Fields, RequestIds, Scheme, Version};

    use super::*;

    fn head(method: Method, path: &'static str, fields: &[(&str, &str)], tcp: bool) -> RequestHead {
        let local = tcp.then(|| SocketAddr::from(([127, 0, 0, 1], 9000)));
        let lines = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        RequestHead {
            method,
            path: Bytes::from_static(path.as_bytes()),
            query: None,
            version: Version::Http11,
            scheme: Scheme::Http,
            fields: lines.collect::<Fields>(),
            origin: Origin { local, ..Origin::default() },
            tls: None,
            ids: RequestIds::NONE,
            streamed: false,
            upgrade: None,
        }
    }

    fn get(host: &str) -> RequestHead {
        head(Method::GET, "/metrics", &[("host", host)], true)
    }

    #[test]
    fn another_name_may_be_a_page_that_has_rebound_it() {
        for host in ["localhost", "LOCALHOST:9000", "127.0.0.1", "127.1.2.3:1", "[::1]:9000"] {
            assert_eq!(check(&get(host), None), Ok(AdminEndpoint::Metrics), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:9000", "10.0.0.1", "", "[::2]", "["] {
            assert_eq!(check(&get(host), None), Err(AdminRefusal::Host), "{host}");
        }
        let unix = head(Method::GET, "/metrics", &[("host", "ferrite")], false);
        assert_eq!(check(&unix, None), Ok(AdminEndpoint::Metrics));
    }

    #[test]
    fn a_token_is_wanted_on_a_port_and_compared_as_a_whole() {
        let token = Bytes::from_static(b"0123456789abcdef");
        let with = |authorization: &'static str| {
            let fields = [("host", "any"), ("authorization", authorization)];
            check(&head(Method::GET, "/status", &fields, true), Some(&token))
        };
        assert_eq!(with("Bearer 0123456789abcdef"), Ok(AdminEndpoint::Status));
        // "me:" and the token.
        assert_eq!(with("basic bWU6MDEyMzQ1Njc4OWFiY2RlZg=="), Ok(AdminEndpoint::Status));
        for wrong in [
            "",
            "Bearer",
            "Bearer 0123456789abcdeF",
            "Bearer 0123",
            "Basic AAAA",
            "Basic ?",
            "Digest x",
        ] {
            assert_eq!(with(wrong), Err(AdminRefusal::Token), "{wrong}");
        }
        assert_eq!(check(&get("localhost"), Some(&token)), Err(AdminRefusal::Token));
    }

    #[test]
    fn what_changes_something_is_not_done_for_another_page() {
        let host = ("host", "localhost");
        let ask =
            |fields: &[(&str, &str)], tcp| check(&head(Method::POST, "/stop", fields, tcp), None);
        assert_eq!(ask(&[host], true), Err(AdminRefusal::Foreign));
        let control = ("ferrite-control", "1");
        assert_eq!(ask(&[host, control], true), Ok(AdminEndpoint::Stop));
        assert_eq!(
            ask(&[host, control, ("sec-fetch-site", "same-origin")], true),
            Ok(AdminEndpoint::Stop)
        );
        assert_eq!(
            ask(&[host, control, ("sec-fetch-site", "cross-site")], true),
            Err(AdminRefusal::Foreign)
        );
        assert_eq!(ask(&[], false), Ok(AdminEndpoint::Stop));
        let wrong = head(Method::GET, "/stop", &[host], true);
        assert_eq!(check(&wrong, None), Err(AdminRefusal::Method("POST")));
        let wrong = head(Method::POST, "/status", &[host], true);
        assert_eq!(check(&wrong, None), Err(AdminRefusal::Method("GET, HEAD")));
        assert_eq!(check(&head(Method::GET, "/x", &[host], true), None), Err(AdminRefusal::Path));
    }

    #[test]
    fn the_text_is_the_one_that_is_preferred() {
        for (accept, wanted) in [
            ("", ExpositionFormat::Prometheus),
            ("*/*", ExpositionFormat::Prometheus),
            ("application/openmetrics-text; version=1.0.0", ExpositionFormat::OpenMetrics),
            ("application/openmetrics-text;q=0.5, text/plain", ExpositionFormat::Prometheus),
            (
                "text/plain;version=0.0.4;q=0.3,application/OpenMetrics-text;version=1.0.0;q=0.6",
                ExpositionFormat::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0", ExpositionFormat::Prometheus),
        ] {
            assert_eq!(
                format(&head(Method::GET, "/metrics", &[("accept", accept)], true)),
                wanted,
                "{accept}"
            );
        }
    }
}
