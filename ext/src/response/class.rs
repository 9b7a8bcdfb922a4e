//! The class, as PHP and its reflection know it.

use ext_php_rs::args::{Arg, ArgInfoTables};
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::zend::ClassEntry;

use super::{CLASS, PROPERTIES, Response, sending};
use crate::zend::class::{ARRAY_STRING_OR_NULL, set_type};
use crate::zend::lazy;
use crate::zend::method::{Handler, methods};
use crate::zend::object::{property, registered};
use crate::zend::string::Interned;
use crate::zend::value;

methods! {
    status => super::status;
    header => super::header;
    init_header => super::init_header;
    trailer => super::trailer;
    cookie => super::cookie;
    rawcookie => super::rawcookie;
    is_writable => super::is_writable;
    status_code => super::status_code;
    informational => sending::informational;
    write => sending::write;
    end => sending::end;
    redirect => sending::redirect;
    sendfile => sending::sendfile;
}

/// Registers the class. To be called once, at module startup.
pub fn register() -> ext_php_rs::error::Result<()> {
    PROPERTIES.iter().for_each(Interned::init);
    let mut class =
        ClassBuilder::new("Ferrite\\Http\\Response").property(property("fd", || value::long(0)));
    for name in &PROPERTIES {
        class = class.property(property(name.text(), value::undef));
    }
    let int = DataType::Long;
    class = method(class, "getStatusCode", status_code, int, 0, Vec::new);
    let bool = DataType::Bool;
    for name in ["status", "setStatusCode"] {
        class = method(class, name, status, bool, 1, || {
            vec![Arg::new("http_code", DataType::Long), text("reason", "''")]
        });
    }
    for name in ["header", "setHeader"] {
        class = method(class, name, header, bool, 2, || {
            let format = Arg::new("format", DataType::Bool).default("true");
            vec![required("key"), Arg::new("value", DataType::String), format, flag("append")]
        });
    }
    for (name, handler) in [
        ("cookie", cookie as Handler),
        ("setCookie", cookie),
        ("rawcookie", rawcookie),
        ("setRawCookie", rawcookie),
    ] {
        class = method(class, name, handler, bool, 1, cookie_arguments);
    }
    class = method(class, "initHeader", init_header, bool, 0, Vec::new);
    class = method(class, "trailer", trailer, bool, 2, || vec![required("key"), required("value")]);
    class = method(class, "isWritable", is_writable, bool, 0, Vec::new);
    class = method(class, "informational", informational, bool, 1, || {
        let headers = Arg::new("headers", DataType::Array).default("[]");
        vec![Arg::new("http_code", DataType::Long), headers]
    });
    class = method(class, "write", write, bool, 1, || vec![required("content")]);
    class = method(class, "end", end, bool, 0, || {
        vec![required("content").allow_null().default("null")]
    });
    class = method(class, "redirect", redirect, bool, 1, || {
        vec![required("location"), Arg::new("http_code", DataType::Long).default("302")]
    });
    class = method(class, "sendfile", sendfile, bool, 1, || {
        vec![required("filename"), number("offset"), number("length")]
    });
    class.registration(complete).register()
}

fn complete(entry: &'static mut ClassEntry, tables: ArgInfoTables) {
    registered::<Response>(entry, tables, lazy::adapt::<Response>);
    for name in ["header", "setheader"] {
        set_type(CLASS.entry(), name, Some(1), ARRAY_STRING_OR_NULL);
    }
}

fn method(
    class: ClassBuilder,
    name: &str,
    handler: Handler,
    returns: DataType,
    required: usize,
    arguments: fn() -> Vec<Arg<'static>>,
) -> ClassBuilder {
    let method = FunctionBuilder::new(name, handler).returns(returns, false, false);
    let method = arguments().into_iter().fold(method, FunctionBuilder::arg);
    class.method(method.required_args(required), MethodFlags::Public)
}

fn cookie_arguments() -> Vec<Arg<'static>> {
    vec![
        required("name"),
        text("value", "''"),
        number("expires"),
        text("path", "'/'"),
        text("domain", "''"),
        flag("secure"),
        flag("httponly"),
        text("samesite", "''"),
        text("priority", "''"),
        flag("partitioned"),
    ]
}

fn required(name: &str) -> Arg<'static> {
    Arg::new(name, DataType::String)
}

fn text(name: &str, default: &str) -> Arg<'static> {
    Arg::new(name, DataType::String).default(default)
}

fn number(name: &str) -> Arg<'static> {
    Arg::new(name, DataType::Long).default("0")
}

fn flag(name: &str) -> Arg<'static> {
    Arg::new(name, DataType::Bool).default("false")
}
