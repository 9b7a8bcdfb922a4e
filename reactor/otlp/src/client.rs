//! [`CollectorClient`]: sends one message to a collector by HTTP, and says what its answer means.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use prost::Message;
use ureq::Agent;
use ureq::http::{Response, StatusCode};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use wire::limits::OTLP_ANSWER_BYTES_MAX;

use crate::messages::{ExportResponse, PartialSuccess};
use crate::tls::TlsConnector;

/// Sends to collectors.
#[derive(Debug)]
pub(crate) struct CollectorClient {
    agent: Agent,
    headers: Vec<(String, String)>,
}

/// Why a message did not arrive.
#[derive(Debug, PartialEq)]
pub(crate) enum ExportError {
    /// It may be sent again, after so long if the collector has said.
    Passing(String, Option<Duration>),
    /// It is no use.
    Lasting(String),
}

impl ExportError {
    /// Why, in words.
    pub fn why(&self) -> &str {
        match self {
            Self::Passing(why, _) | Self::Lasting(why) => why,
        }
    }
}

impl CollectorClient {
    /// Each request has these header fields. The certificates that are trusted are in a file, or the system's.
    pub fn new(headers: &[(String, String)], certificates: Option<&Path>) -> io::Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("ferrite-otlp/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = TcpConnector::default().chain(TlsConnector::new(certificates)?);
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Ok(Self { agent, headers: headers.to_vec() })
    }

    /// Sends a message; what the collector has not taken of it.
    pub fn post(
        &self,
        url: &str,
        message: &[u8],
        timeout: Duration,
    ) -> Result<Option<PartialSuccess>, ExportError> {
        let passing = |error: ureq::Error| ExportError::Passing(error.to_string(), None);
        let mut request = self.agent.post(url).content_type("application/x-protobuf");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(timeout)).build();
        let mut response = request.send(message).map_err(|error| match error {
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
                ExportError::Lasting(error.to_string())
            }
            error => passing(error),
        })?;
        if let Some(failure) = failure(&response) {
            return Err(failure);
        }
        let body = response.body_mut().with_config().limit(OTLP_ANSWER_BYTES_MAX).read_to_vec();
        // It has taken the message, whatever its answer says: sent again it would be there twice.
        let answer = ExportResponse::decode(&body.unwrap_or_default()[..]).unwrap_or_default();
        Ok(answer.partial_success)
    }
}

/// What the specification of OTLP/HTTP says of statuses: four of them pass.
fn failure<B>(response: &Response<B>) -> Option<ExportError> {
    let status = response.status();
    let why = format!("it answered with {status}");
    match status {
        _ if status.is_success() => None,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            Some(ExportError::Passing(why, after.and_then(|after| delay(after, SystemTime::now()))))
        }
        _ => Some(ExportError::Lasting(why)),
    }
}

/// `Retry-After`: seconds or a date (RFC 9110, 10.2.3).
fn delay(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Option<ExportError> {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        failure(&response.body(()).unwrap())
    }

    #[test]
    fn four_statuses_pass_and_others_last() {
        for status in [200, 202, 204] {
            assert_eq!(answered(status, None), None);
        }
        for status in [429, 502, 503, 504] {
            assert!(
                matches!(answered(status, None), Some(ExportError::Passing(_, None))),
                "{status}"
            );
        }
        for status in [301, 400, 401, 404, 413, 500, 501] {
            assert!(matches!(answered(status, None), Some(ExportError::Lasting(_))), "{status}");
        }
        let after = |value| match answered(503, Some(value)) {
            Some(ExportError::Passing(_, after)) => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn a_date_is_so_far_away() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let at = httpdate::fmt_http_date(now + Duration::from_secs(9));
        assert_eq!(delay(&at, now), Some(Duration::from_secs(9)));
    }
}
