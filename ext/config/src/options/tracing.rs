//! [`TracingOptions`]: the options of traces.

use reactor::config::{IdTrust, TraceSettings};

/// The options of traces.
#[derive(Debug, Clone, Default)]
pub struct TracingOptions {
    /// Whether requests are parts of traces, and whose go on.
    pub context: Option<ContextOption>,
    /// Which part of the new traces is sampled.
    pub sample: Option<f64>,
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

impl TracingOptions {
    /// What the reactor does.
    pub fn of_reactor(&self) -> Option<TraceSettings> {
        let Some(ContextOption::On(trust)) = self.context else { return None };
        Some(TraceSettings { trust, ratio: self.sample.unwrap_or(1.0), ..TraceSettings::default() })
    }
}
