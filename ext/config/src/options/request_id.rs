//! [`RequestIdOptions`]: the options of the ids of requests.

use bytes::Bytes;
use reactor::access_log::AccessLog;
use reactor::config::RequestIdSettings;
use reactor::protocol::message::is_token;

use super::option_type::InvalidValue;
use super::value::Value;

/// The options of the ids of requests.
#[derive(Debug, Clone, Default)]
pub struct RequestIdOptions {
    /// Whether requests have ids; `None`: when somebody uses them.
    pub on: Option<bool>,
    /// Where ids come from, and who is told of them.
    pub settings: RequestIdSettings,
}

impl RequestIdOptions {
    /// What the reactor does: nothing where neither the option says so nor a response or the access log has ids.
    pub fn of_reactor(&self, access_log: Option<&AccessLog>) -> Option<RequestIdSettings> {
        let logged = access_log.is_some_and(|log| log.format.has_request_id());
        let on = self.on.unwrap_or(self.settings.in_responses || logged);
        on.then(|| self.settings.clone())
    }

    /// Sets the name of the field.
    pub fn set_field(&mut self, name: &str) {
        self.settings.field = Bytes::from(name.to_ascii_lowercase());
    }
}

/// Whether a value is the name of a field that may be anything.
pub fn check_field(value: &Value) -> Result<(), InvalidValue> {
    let name = value.text().ok_or(InvalidValue::Type)?;
    match !is_token(name.as_bytes()) || RESERVED.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        true => Err(InvalidValue::Range),
        false => Ok(()),
    }
}

/// Fields that mean something to HTTP: an id in their place would break messages.
const RESERVED: [&str; 14] = [
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_when_somebody_uses_them() {
        let mut options = RequestIdOptions::default();
        assert!(options.of_reactor(None).is_none());
        options.settings.in_responses = true;
        assert!(options.of_reactor(None).is_some());
        options.on = Some(false);
        assert!(options.of_reactor(None).is_none());
        options = RequestIdOptions { on: Some(true), ..RequestIdOptions::default() };
        assert!(options.of_reactor(None).is_some());
    }

    #[test]
    fn a_field_is_one_that_means_nothing_else() {
        for name in ["X-Request-Id", "x-correlation-id", "traceparent"] {
            assert_eq!(check_field(&Value::Text(name.to_owned())), Ok(()), "{name}");
        }
        for name in ["", "a b", "a:", "Host", "content-length", "a\r\nb"] {
            let checked = check_field(&Value::Text(name.to_owned()));
            assert_eq!(checked, Err(InvalidValue::Range), "{name}");
        }
        assert_eq!(check_field(&Value::Int(1)), Err(InvalidValue::Type));
    }
}
