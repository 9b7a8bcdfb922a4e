//! The module as PHP sees it: start, constants, INI entries, phpinfo().

use config::bind::SocketType;
use config::logger;
use config::options::tls::{TLS_1_2, TLS_1_3};
use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::prelude::*;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs, ModuleEntry};
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};

use crate::engine::programs;
use crate::engine::zend::signature::Constant;
use crate::engine::zend::{class, object, watched};
use crate::php::cookie::object::CookieObject;
use crate::php::port::Port;
use crate::php::request::Request;
use crate::php::response::Response;
use crate::php::server::Server;
use crate::php::web::Web;
use crate::php::{error, request};
use crate::signatures::{self, CONSTANTS, constant};
use crate::swoole;
use crate::web::functions;

const VERSION: &str = env!("CARGO_PKG_VERSION");

static INI: IniEntryDefs<4> = IniEntryDefs::new([
    IniEntryDef::new(c"ferrite.banner", c"1", IniEntryPermission::All),
    IniEntryDef::new(c"ferrite.colors", c"auto", IniEntryPermission::All),
    IniEntryDef::new(c"ferrite.swoole_aliases", c"0", IniEntryPermission::System),
    IniEntryDef::end(),
]);

/// Name and version, hooks and constants. Classes are registered by [`startup`].
pub fn describe(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    let module = module
        .name("ferrite")
        .version(VERSION)
        .info_function(info)
        .request_startup_function(script_starts);
    let module = signatures::functions::SIGNATURE
        .methods
        .iter()
        .fold(module, |module, function| module.function(class::function(function)));
    CONSTANTS.iter().fold(module, |module, (name, value)| match *value {
        Constant::Int(number) => module.constant((name, number, &[])),
        Constant::Text(text) => module.constant((name, text, &[])),
    })
}

/// The crate `config` has constants of its own: they equal those of the stubs.
const _: () = {
    assert!(constant::SOCK_TCP == SocketType::TCP);
    assert!(constant::SOCK_UDP == SocketType::UDP);
    assert!(constant::SOCK_TCP6 == SocketType::TCP6);
    assert!(constant::SOCK_UDP6 == SocketType::UDP6);
    assert!(constant::SOCK_UNIX_STREAM == SocketType::UNIX_STREAM);
    assert!(constant::SOCK_UNIX_DGRAM == SocketType::UNIX_DGRAM);
    assert!(constant::SSL == SocketType::SSL);
    assert!(constant::SSL_TLSv1_2 == TLS_1_2);
    assert!(constant::SSL_TLSv1_3 == TLS_1_3);
    assert!(constant::VERSION_ID == version_id(VERSION));
};

/// Module startup. Called once per process, before the constants are registered.
pub extern "C" fn startup(_kind: i32, module: i32) -> i32 {
    const SUCCESS: i32 = 0;
    const FAILURE: i32 = -1;
    logger::install();
    if ext_php_rs::PHP_ZTS {
        log::error!("Ferrite works with PHP without thread safety (NTS) only; this PHP is ZTS");
        return FAILURE;
    }
    std::panic::set_hook(Box::new(|panic| {
        wire::event::log(
            log::Level::Error,
            wire::event::LogEvent::Panicked,
            &[],
            format_args!("{panic}"),
        )
    }));
    IniEntryDef::register(INI.as_slice(), module);
    programs::wrap();
    functions::make();
    class::complete_functions(&signatures::functions::SIGNATURE);
    match register_classes() {
        Ok(()) => {
            swoole::register(module);
            SUCCESS
        }
        Err(error) => {
            log::error!("a class cannot be registered: {error}");
            FAILURE
        }
    }
}

/// Before each script, when all modules have started.
extern "C" fn script_starts(_kind: i32, _module: i32) -> i32 {
    if crate::engine::interpreter::sapi_name() == "cli" {
        watched::install();
    }
    crate::engine::zend::SUCCESS
}

fn register_classes() -> ext_php_rs::error::Result<()> {
    error::register()?;
    request::init_names();
    object::register::<CookieObject>()?;
    object::register::<Request>()?;
    object::register::<Response>()?;
    object::register::<Port>()?;
    object::register::<Web>()?;
    object::register::<Server>()
}

extern "C" fn info(module: *mut ModuleEntry) {
    info_table_start!();
    info_table_header!("Ferrite", "enabled");
    info_table_row!("Version", VERSION);
    info_table_row!("Protocols", "HTTP/1.0, HTTP/1.1, HTTP/2, HTTP/3");
    info_table_row!("Sockets", "TCP (IPv4, IPv6), Unix stream");
    info_table_row!("TLS", "1.2, 1.3 (BoringSSL)");
    info_table_row!("Built for PHP API", ext_php_rs::ffi::ZEND_MODULE_API_NO.to_string());
    info_table_row!("Thread safety", if ext_php_rs::PHP_ZTS { "ZTS" } else { "NTS" });
    info_table_row!("Debug build of PHP", if ext_php_rs::PHP_DEBUG { "yes" } else { "no" });
    info_table_end!();
    // SAFETY: PHP passes the module's own entry.
    unsafe { display_ini_entries(module) };
}

/// 10,000 × major + 100 × minor + patch.
const fn version_id(version: &str) -> i64 {
    let (text, mut at, mut id, mut part) = (version.as_bytes(), 0, 0, 0);
    while at < text.len() {
        match text[at] {
            b'.' => (id, part) = (id * 100 + part, 0),
            digit => part = part * 10 + (digit - b'0') as i64,
        }
        at += 1;
    }
    id * 100 + part
}

unsafe extern "C" {
    fn display_ini_entries(module: *mut ModuleEntry);
}
