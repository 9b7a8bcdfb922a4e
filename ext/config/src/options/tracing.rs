//! [`TracingOptions`]: the options of traces, and of the collector of OpenTelemetry that gets them.
//!
//! What an option does not say the environment does, by the names of OpenTelemetry's specification. But it is the
//! option `otlp_endpoint` that switches the sending on.

use std::time::Duration;

use otlp::Settings;
use reactor::config::{IdTrust, TraceSettings};
use wire::limits::{OTLP_QUEUE_LEN, OTLP_QUEUE_LEN_MAX};

use super::option_type::InvalidValue;
use super::value::Value;

/// The options of traces.
#[derive(Debug, Clone, Default)]
pub struct TracingOptions {
    /// Whether requests are parts of traces, and whose go on.
    pub context: Option<ContextOption>,
    /// Which part of the new traces is sampled.
    pub sample: Option<f64>,
    /// The address of the collector; `env`: as the environment says; empty: there is none.
    pub endpoint: String,
    /// Header fields of requests to it.
    pub headers: Vec<(String, String)>,
    /// What the server is called; empty: as the environment says.
    pub service_name: String,
}

/// What `trace_context` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextOption {
    /// Requests are no parts of traces.
    Off,
    /// They are, and those of these go on.
    On(IdTrust),
}

impl ContextOption {
    /// The words of the option.
    pub const WORDS: &'static [&'static str] = &["off", "all", "proxies", "none"];

    /// What a word means.
    pub fn of(word: &str) -> Self {
        match word {
            "all" => Self::On(IdTrust::Everybody),
            "proxies" => Self::On(IdTrust::Proxies),
            "none" => Self::On(IdTrust::Nobody),
            _ => Self::Off,
        }
    }
}

/// A variable of the environment; one that is empty is none, as the specification has it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl TracingOptions {
    /// How requests become parts of traces; where there is a collector they do, unless the option says otherwise.
    pub fn traces(&self, env: Environment<'_>) -> Option<TraceSettings> {
        let collected = self.otlp(env).is_some_and(|settings| settings.traces.is_some());
        let default = if collected { ContextOption::of("all") } else { ContextOption::Off };
        let ContextOption::On(trust) = self.context.unwrap_or(default) else { return None };
        let (ratio, parent_decides) = sampler(env, collected);
        Some(TraceSettings { trust, ratio: self.sample.unwrap_or(ratio), parent_decides })
    }

    /// What is sent, and where to; `None`: nothing is.
    pub fn otlp(&self, env: Environment<'_>) -> Option<Settings> {
        let disabled = env("OTEL_SDK_DISABLED").is_some_and(|on| on.eq_ignore_ascii_case("true"));
        if self.endpoint.is_empty() || disabled {
            return None;
        }
        let given = Some(&self.endpoint).filter(|endpoint| *endpoint != "env").cloned();
        let address = |signal: &str, path: &str| {
            let exporter = env(&format!("OTEL_{signal}_EXPORTER"));
            if exporter.is_some_and(|exporter| exporter == "none") {
                return None;
            }
            let own = env(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            if let Some(own) = own.filter(|_| given.is_none()) {
                return Some(own);
            }
            let base = given.clone().or_else(|| env("OTEL_EXPORTER_OTLP_ENDPOINT"));
            let base = base.unwrap_or_else(|| "http://localhost:4318".to_owned());
            Some(format!("{}/v1/{path}", base.trim_end_matches('/')))
        };
        let defaults = Settings::default();
        let millis = |name: &str, default: Duration| {
            let millis = env(name).and_then(|text| text.trim().parse().ok());
            millis.filter(|millis| *millis > 0).map_or(default, Duration::from_millis)
        };
        let count = |name: &str, default: usize| {
            let count = env(name).and_then(|text| text.trim().parse().ok());
            count.filter(|count| *count > 0).unwrap_or(default).min(OTLP_QUEUE_LEN_MAX)
        };
        let queue_len = count("OTEL_BSP_MAX_QUEUE_SIZE", OTLP_QUEUE_LEN);
        let batch_len = count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", defaults.batch_len);
        Some(Settings {
            traces: address("TRACES", "traces"),
            metrics: address("METRICS", "metrics"),
            headers: self.all_headers(env),
            certificates: env("OTEL_EXPORTER_OTLP_CERTIFICATE").map(Into::into),
            timeout: millis("OTEL_EXPORTER_OTLP_TIMEOUT", defaults.timeout),
            resource: self.resource(env),
            queue_len,
            batch_len: batch_len.min(queue_len),
            delay: millis("OTEL_BSP_SCHEDULE_DELAY", defaults.delay),
            metrics_interval: millis("OTEL_METRIC_EXPORT_INTERVAL", defaults.metrics_interval),
        })
    }

    fn all_headers(&self, env: Environment<'_>) -> Vec<(String, String)> {
        match self.headers.is_empty() {
            true => pairs(&env("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default()),
            false => self.headers.clone(),
        }
    }

    /// What is said of the server. The name of the option and of its own variable come before that among the others.
    fn resource(&self, env: Environment<'_>) -> Vec<(String, String)> {
        let mut list = pairs(&env("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
        let named = Some(self.service_name.clone()).filter(|name| !name.is_empty());
        if let Some(name) = named.or_else(|| env("OTEL_SERVICE_NAME")) {
            list.retain(|(key, _)| key != "service.name");
            list.push(("service.name".to_owned(), name));
        }
        let own = [
            ("service.name", "ferrite"),
            ("telemetry.sdk.name", "ferrite"),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        for (key, value) in own {
            if !list.iter().any(|(known, _)| known == key) {
                list.push((key.to_owned(), value.to_owned()));
            }
        }
        list
    }
}

/// The part of new traces that is sampled, and whether traces that go on are sampled as their client says.
fn sampler(env: Environment<'_>, collected: bool) -> (f64, bool) {
    let name = env("OTEL_TRACES_SAMPLER").filter(|_| collected).unwrap_or_default();
    let argument = env("OTEL_TRACES_SAMPLER_ARG").and_then(|text| text.trim().parse().ok());
    let part = argument.filter(|part| (0.0..=1.0).contains(part)).unwrap_or(1.0);
    match &name[..] {
        "always_on" => (1.0, false),
        "always_off" => (0.0, false),
        "traceidratio" => (part, false),
        "parentbased_always_off" => (0.0, true),
        "parentbased_traceidratio" => (part, true),
        _ => (1.0, true),
    }
}

/// `name=value,name2=value2`, with percent-encoded values, as W3C Baggage has them.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), decoded(value.trim())))
    };
    text.split(',').filter_map(pair).filter(|(name, _)| !name.is_empty()).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a value is an address of a collector.
pub fn check_endpoint(value: &Value) -> Result<(), InvalidValue> {
    let text = value.text().ok_or(InvalidValue::Type)?;
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_host = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
    match text.is_empty() || text == "env" || rest.is_some_and(is_host) {
        true => Ok(()),
        false => Err(InvalidValue::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(lines: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let found = lines.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    fn options(endpoint: &str) -> TracingOptions {
        TracingOptions { endpoint: endpoint.to_owned(), ..TracingOptions::default() }
    }

    #[test]
    fn the_environment_alone_switches_nothing_on() {
        let env = with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")]);
        assert_eq!((options("").otlp(&env), options("").traces(&env)), (None, None));
        let settings = options("env").otlp(&env).expect("on");
        assert_eq!(settings.traces.as_deref(), Some("http://c:4318/v1/traces"));
        assert_eq!(settings.metrics.as_deref(), Some("http://c:4318/v1/metrics"));
        assert!(options("env").traces(&env).is_some(), "requests are parts of traces then");
        let off = with(&[("OTEL_SDK_DISABLED", "True")]);
        assert_eq!(options("http://d").otlp(&off), None);
    }

    #[test]
    fn options_come_before_the_environment() {
        let env = with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/path"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b, Authorization = Basic%20eA%3D%3D"),
            ("OTEL_SERVICE_NAME", "of-env"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=less,host.name=h"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_SCHEDULE_DELAY", "250"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ]);
        let settings = options("env").otlp(&env).expect("on");
        assert_eq!(settings.traces.as_deref(), Some("http://t/path"));
        assert_eq!(settings.metrics, None);
        let headers = [("a", "b"), ("Authorization", "Basic eA==")];
        assert_eq!(settings.headers, headers.map(|(name, value)| (name.into(), value.into())));
        let of = |settings: &Settings, key: &str| {
            let found: Vec<_> =
                settings.resource.iter().filter(|(known, _)| known == key).collect();
            assert_eq!(found.len(), 1, "{key}");
            found[0].1.clone()
        };
        assert_eq!(of(&settings, "service.name"), "of-env");
        assert_eq!(of(&settings, "host.name"), "h");
        assert_eq!((settings.queue_len, settings.batch_len), (100, 100));
        assert_eq!(settings.delay, Duration::from_millis(250));
        assert_eq!(settings.timeout, Settings::default().timeout);

        let mut own = options("https://own/");
        own.service_name = "shop".into();
        own.headers = vec![("x".into(), "y".into())];
        let settings = own.otlp(&env).expect("on");
        assert_eq!(settings.traces.as_deref(), Some("https://own/v1/traces"));
        assert_eq!(of(&settings, "service.name"), "shop");
        assert_eq!(settings.headers, own.headers);
    }

    #[test]
    fn samplers_are_those_of_the_specification() {
        let of = |env: Environment<'_>| {
            let traces = options("http://c").traces(env).expect("traces");
            (traces.ratio, traces.parent_decides)
        };
        assert_eq!(of(&with(&[])), (1.0, true));
        assert_eq!(of(&with(&[("OTEL_TRACES_SAMPLER", "always_off")])), (0.0, false));
        let ratio = [
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ];
        let ratio = move |name: &str| {
            let found = ratio.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(of(&ratio), (0.5, true));
        let mut own = options("http://c");
        own.sample = Some(0.25);
        assert_eq!(own.traces(&ratio).map(|traces| traces.ratio), Some(0.25));
        own.context = Some(ContextOption::Off);
        assert_eq!(own.traces(&ratio), None);
    }

    #[test]
    fn an_endpoint_is_an_address_of_http() {
        for good in ["", "env", "http://localhost:4318", "https://[::1]:4318/a"] {
            assert_eq!(check_endpoint(&Value::Text(good.to_owned())), Ok(()), "{good}");
        }
        for bad in ["localhost:4318", "grpc://a", "http://", "http://a b", "ENV"] {
            let checked = check_endpoint(&Value::Text(bad.to_owned()));
            assert_eq!(checked, Err(InvalidValue::Range), "{bad}");
        }
    }
}
