//! Refuses a PHP that Ferrite cannot work with, and says which version of PHP the code is compiled for
//! (`cfg(php83)` and its like, as `ext-php-rs` has them).

use std::process::ExitCode;

use ext_php_rs_build::{ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, find_php};

fn main() -> ExitCode {
    for variable in ["PHP", "PHP_CONFIG", "PATH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    emit_check_cfg();
    match supported() {
        Ok(version) => {
            emit_php_cfg_flags(version);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The version of the PHP that this is built for, or why that is none that Ferrite works with.
fn supported() -> Result<ApiVersion, String> {
    let php = find_php().map_err(|error| {
        format!("{error} The variable PHP may name it, and PHP_CONFIG its php-config.")
    })?;
    let failed = |error| format!("{} -i does not say what PHP this is: {error}", php.display());
    let info = PHPInfo::get(&php).map_err(failed)?;
    let version = info.version().map_err(failed)?;
    let refusal = |what: &str| {
        format!(
            "{} is PHP {version}, {what}. The variables PHP and PHP_CONFIG name another one.",
            php.display()
        )
    };
    if info.thread_safety().map_err(failed)? {
        return Err(refusal(
            "built with thread safety (ZTS): Ferrite forks its workers and needs a build without (NTS)",
        ));
    }
    if info.debug().map_err(failed)? {
        return Err(refusal(
            "a debug build: Ferrite is built for release builds, as distributions ship them",
        ));
    }
    let number = info.zend_version().map_err(failed)?;
    if number < ApiVersion::Php82 as u32 {
        return Err(refusal("which is too old: Ferrite needs 8.2 or newer"));
    }
    number.try_into().map_err(|error| {
        refusal(&format!("which this version of Ferrite does not know yet ({error})"))
    })
}
