//! `AdminResponse`: an answer to an administrator, in the making.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;
use wire::metrics::VERSION;
use wire::{BodyLength, ResponseHead};

use super::guard::AdminRefusal;

/// A response in the making.
pub(super) struct AdminResponse {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) more: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) content: Bytes,
}

impl AdminResponse {
    pub(super) fn text(status: StatusCode, content: impl Into<Bytes>) -> Self {
        let content_type = "text/plain; charset=utf-8";
        Self { status, content_type, more: Vec::new(), content: content.into() }
    }

    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self { content_type: "application/json", ..Self::text(status, format!("{value}\n")) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    pub(super) fn head(&self, length: BodyLength) -> ResponseHead {
        let own = [
            ("content-type", self.content_type),
            ("cache-control", "no-store"),
            // By which `ferrite ctl` knows whom it asks.
            ("ferrite-admin", VERSION),
            ("x-content-type-options", "nosniff"),
        ];
        let more = self.more.iter().map(|(name, value)| (*name, &value[..]));
        let fields = own.into_iter().chain(more);
        let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        ResponseHead { status: self.status, reason: None, length, fields, id_field: None }
    }

    /// Says why a request is refused.
    pub(super) fn refused(refusal: AdminRefusal) -> Self {
        let response = Self::text(refusal.status(), refusal.text());
        match refusal {
            AdminRefusal::Token => {
                response.with("www-authenticate", "Basic realm=\"Ferrite\", charset=\"UTF-8\"")
            }
            AdminRefusal::Method(allowed) => response.with("allow", allowed),
            _ => response,
        }
    }
}
