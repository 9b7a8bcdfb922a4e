//! The module as PHP sees it: start, constants, INI entries, phpinfo().

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::prelude::*;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs, ModuleEntry};
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};

use crate::zend::watched;
use crate::{error, port, programs, request, response, server};
use config::bind::SocketType;
use config::logger;
use config::options::tls::{TLS_1_2, TLS_1_3};

const VERSION: &str = env!("CARGO_PKG_VERSION");

static INI: IniEntryDefs<3> = IniEntryDefs::new([
    IniEntryDef::new(c"ferrite.banner", c"1", IniEntryPermission::All),
    IniEntryDef::new(c"ferrite.colors", c"auto", IniEntryPermission::All),
    IniEntryDef::end(),
]);

/// Name and version, hooks and constants. Classes are registered by [`startup`].
pub fn describe(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    let module = module
        .name("ferrite")
        .version(VERSION)
        .info_function(info)
        .request_startup_function(script_starts)
        .constant(("Ferrite\\VERSION", VERSION, &[]))
        .constant(("Ferrite\\VERSION_ID", version_id(VERSION), &[]));
    INTEGERS.iter().fold(module, |module, (name, number)| module.constant((name, *number, &[])))
}

/// Constants with numbers: those of Swoole without their prefix.
const INTEGERS: [(&str, i64); 18] = [
    ("Ferrite\\SOCK_TCP", SocketType::TCP),
    ("Ferrite\\SOCK_UDP", SocketType::UDP),
    ("Ferrite\\SOCK_TCP6", SocketType::TCP6),
    ("Ferrite\\SOCK_UDP6", SocketType::UDP6),
    ("Ferrite\\SOCK_UNIX_STREAM", SocketType::UNIX_STREAM),
    ("Ferrite\\SOCK_UNIX_DGRAM", SocketType::UNIX_DGRAM),
    ("Ferrite\\SSL", SocketType::SSL),
    ("Ferrite\\SSL_TLSv1_2", TLS_1_2),
    ("Ferrite\\SSL_TLSv1_3", TLS_1_3),
    ("Ferrite\\BASE", server::MODES[0]),
    ("Ferrite\\PROCESS", server::MODES[1]),
    ("Ferrite\\LOG_DEBUG", 0),
    ("Ferrite\\LOG_TRACE", 1),
    ("Ferrite\\LOG_INFO", 2),
    ("Ferrite\\LOG_NOTICE", 3),
    ("Ferrite\\LOG_WARNING", 4),
    ("Ferrite\\LOG_ERROR", 5),
    ("Ferrite\\LOG_NONE", 6),
];

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
            wire::event::Event::Panicked,
            &[],
            format_args!("{panic}"),
        )
    }));
    IniEntryDef::register(INI.as_slice(), module);
    programs::wrap();
    match register_classes() {
        Ok(()) => SUCCESS,
        Err(error) => {
            log::error!("a class cannot be registered: {error}");
            FAILURE
        }
    }
}

/// Before each script, when all modules have started.
extern "C" fn script_starts(_kind: i32, _module: i32) -> i32 {
    if crate::engine::sapi_name() == "cli" {
        watched::install();
    }
    crate::zend::SUCCESS
}

fn register_classes() -> ext_php_rs::error::Result<()> {
    error::register()?;
    request::register()?;
    response::register()?;
    port::register()?;
    server::register()
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
fn version_id(version: &str) -> i64 {
    version.split('.').fold(0, |id, part| id * 100 + part.parse::<i64>().unwrap_or(0))
}

unsafe extern "C" {
    fn display_ini_entries(module: *mut ModuleEntry);
}
