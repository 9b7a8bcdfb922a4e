//! Refuses a PHP that Ferrite cannot work with, says which version of PHP the code is compiled for
//! (`cfg(php83)` and its like, as `ext-php-rs` has them), and writes the code that declares what the stubs
//! say.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use arginfo::{Literal, Stubs, parse, rust};
use ext_php_rs_build::{ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, find_php};

fn main() -> ExitCode {
    for variable in ["PHP", "PHP_CONFIG", "PATH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    emit_check_cfg();
    let outcome = supported().map(emit_php_cfg_flags).and_then(|()| signatures());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Writes `signatures.rs` from the stubs.
fn signatures() -> Result<(), String> {
    // Where it is now: the program may have been compiled for another folder, with the same target folder.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&package).with_file_name("stubs");
    println!("cargo:rerun-if-changed={}", folder.display());
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}:{error}", path.display());
    let entries = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut stubs = Stubs::default();
    for file in files.iter().filter(|file| file.to_string_lossy().ends_with(".stub.php")) {
        let text = fs::read_to_string(file).map_err(|error| failed(file, &error))?;
        parse::stub(&text, &mut stubs).map_err(|error| failed(file, &error))?;
    }
    let version = stubs.constants.iter().find(|constant| constant.name == "Ferrite\\VERSION");
    let own = env!("CARGO_PKG_VERSION");
    if version.is_none_or(|version| version.value != Literal::Text(own.to_owned())) {
        return Err(format!("stubs/ferrite.stub.php: VERSION must be '{own}', as in Cargo.toml"));
    }
    let code = rust::code(&stubs).map_err(|error| failed(&folder, &error))?;
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("signatures.rs");
    fs::write(&out, code).map_err(|error| failed(&out, &error))
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
