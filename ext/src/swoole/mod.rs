//! Swoole's names for what there is here: classes and constants, where `ferrite.swoole_aliases` is on.

pub mod absent;
mod functions;

use std::ffi::{c_char, c_int};

use ext_php_rs::ffi::{zend_class_entry, zend_register_long_constant};
use ext_php_rs::types::ZendHashTable;

use crate::engine::interpreter;
use crate::engine::zend::object::NativeObject;
use crate::engine::zend::signature::Constant;
use crate::engine::zend::{SUCCESS, module_registry};
use crate::php::cookie::object::CookieObject;
use crate::php::error;
use crate::php::port::Port;
use crate::php::request::Request;
use crate::php::response::Response;
use crate::php::server::Server;
use crate::signatures::CONSTANTS;

/// The version of Swoole whose names these are.
const VERSION: &str = "6.0.0";

/// Constants that Swoole has, and whose values options take or refuse with the reason.
const NUMBERS: [(&str, i64); 20] = [
    ("SWOOLE_VERSION_ID", 60000),
    ("SWOOLE_MAJOR_VERSION", 6),
    ("SWOOLE_MINOR_VERSION", 0),
    ("SWOOLE_RELEASE_VERSION", 0),
    ("SWOOLE_TCP", 1),
    ("SWOOLE_UDP", 2),
    ("SWOOLE_TCP6", 3),
    ("SWOOLE_UDP6", 4),
    ("SWOOLE_UNIX_STREAM", 5),
    ("SWOOLE_UNIX_DGRAM", 6),
    ("SWOOLE_DISPATCH_ROUND", 1),
    ("SWOOLE_DISPATCH_FDMOD", 2),
    ("SWOOLE_DISPATCH_IDLE_WORKER", 3),
    ("SWOOLE_DISPATCH_IPMOD", 4),
    ("SWOOLE_DISPATCH_UIDMOD", 5),
    ("SWOOLE_DISPATCH_STREAM", 7),
    ("SWOOLE_IPC_UNIXSOCK", 1),
    ("SWOOLE_IPC_MSGQUEUE", 2),
    ("SWOOLE_IPC_PREEMPTIVE", 3),
    ("SWOOLE_LOG_ROTATION_SINGLE", 0),
];

/// Registers the names, if the INI entry says so and the extension swoole does not have them. To be called
/// once, at module startup, when the classes are registered.
pub fn register(module: c_int) {
    if !interpreter::ini_switch(c"ferrite.swoole_aliases") {
        return;
    }
    // SAFETY: PHP has put every module of php.ini there before it starts the first.
    let modules: &ZendHashTable = unsafe { &module_registry };
    if modules.get("swoole").is_some() {
        log::warn!(
            "ferrite.swoole_aliases has no effect, as the extension swoole is loaded: its classes are \
             Swoole's own. Take swoole out of php.ini to run programs with Ferrite, or ferrite.swoole_aliases"
        );
        return;
    }
    let server = Server::class().entry();
    let classes = [
        ("Swoole\\Server", server),
        ("Swoole\\Http\\Server", server),
        ("Swoole\\Http\\Request", Request::class().entry()),
        ("Swoole\\Http\\Response", Response::class().entry()),
        ("Swoole\\Http\\Cookie", CookieObject::class().entry()),
        ("Swoole\\Server\\Port", Port::class().entry()),
        ("Swoole\\Exception", error::entry()),
    ];
    for (name, class) in classes {
        // SAFETY: the class is registered; the name is copied.
        let done =
            unsafe { zend_register_class_alias_ex(name.as_ptr().cast(), name.len(), class, true) };
        if done != SUCCESS {
            log::error!("{name} is declared already: another extension has taken Swoole's name");
        }
    }
    constants(module);
    functions::register();
}

fn constants(module: c_int) {
    for (name, value) in CONSTANTS {
        let name = name.rsplit('\\').next().unwrap_or(name);
        if let Constant::Int(number) = value
            && !name.starts_with("VERSION")
        {
            number_constant(&format!("SWOOLE_{name}"), *number, module);
        }
    }
    for (name, number) in NUMBERS {
        number_constant(name, number, module);
    }
    let name = "SWOOLE_VERSION";
    // SAFETY: name and text are copied.
    unsafe {
        zend_register_stringl_constant(
            name.as_ptr().cast(),
            name.len(),
            VERSION.as_ptr().cast(),
            VERSION.len(),
            CONST_PERSISTENT,
            module,
        );
    }
}

fn number_constant(name: &str, number: i64, module: c_int) {
    // SAFETY: the name is copied.
    unsafe {
        zend_register_long_constant(
            name.as_ptr().cast(),
            name.len(),
            number,
            CONST_PERSISTENT,
            module,
        );
    }
}

/// `CONST_PERSISTENT`
const CONST_PERSISTENT: c_int = 1;

unsafe extern "C" {
    fn zend_register_class_alias_ex(
        name: *const c_char,
        len: usize,
        class: *mut zend_class_entry,
        persistent: bool,
    ) -> c_int;
    fn zend_register_stringl_constant(
        name: *const c_char,
        name_len: usize,
        text: *const c_char,
        text_len: usize,
        flags: c_int,
        module: c_int,
    );
}
