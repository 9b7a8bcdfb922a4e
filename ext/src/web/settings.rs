//! PHP's settings as a web server has them, where the command line has others whatever php.ini says.

use ext_php_rs::ffi::{ext_php_rs_zend_string_init, zend_hash_str_find, zend_ini_entry};
use ext_php_rs::types::Zval;

use super::zend::STAGE_ACTIVATE;
use crate::engine::call::{CallOutcome, call};
use crate::engine::interpreter;
use crate::engine::zend::value::{self, entries};
use crate::engine::zend::{SUCCESS, globals};

/// What the command line sets by itself, and what PHP has otherwise, without a php.ini: but for
/// `register_argc_argv`, which would make `$argv` of query strings.
const COMMAND_LINE: [(&str, &str, &str); 6] = [
    ("html_errors", "0", "1"),
    ("register_argc_argv", "1", "0"),
    ("implicit_flush", "1", "0"),
    ("output_buffering", "0", "0"),
    ("max_execution_time", "0", "30"),
    ("max_input_time", "-1", "-1"),
];

/// What holds in workers: php.ini's values in place of the command line's, and over all the option
/// `php_ini`. To be called in the script, before the first fork.
pub fn wanted(php_ini: &[(String, String)]) -> Vec<(String, Vec<u8>)> {
    let files: Vec<Zval> = files().into_iter().filter_map(parsed).collect();
    let mut wanted = Vec::new();
    for (name, of_command_line, default) in COMMAND_LINE {
        // Somebody has said so: by `php -d`, or in the script.
        if interpreter::ini_text_of(name) != of_command_line {
            wanted.push((name.to_owned(), interpreter::ini_text_of(name).into_bytes()));
            continue;
        }
        let in_file = files.iter().rev().find_map(|file| {
            let (_, value) =
                entries(file.array()?).find(|(key, _)| key.to_bytes() == name.as_bytes())?;
            value.zend_str().map(|text| text.as_bytes().to_vec())
        });
        wanted.push((name.to_owned(), in_file.unwrap_or_else(|| default.as_bytes().to_vec())));
    }
    for (name, value) in php_ini {
        wanted.retain(|(known, _)| known != name);
        wanted.push((name.clone(), value.clone().into_bytes()));
    }
    wanted
}

/// php.ini, and the files of its folder, in the order in which PHP has read them.
fn files() -> Vec<String> {
    let text = |name| match call(&interpreter::function(name)?, &mut []) {
        CallOutcome::Returned(value) => value.string(),
        _ => None,
    };
    let mut files: Vec<String> = text("php_ini_loaded_file").into_iter().collect();
    let scanned = text("php_ini_scanned_files").unwrap_or_default();
    files.extend(scanned.split(',').map(|file| file.trim().to_owned()).filter(|f| !f.is_empty()));
    files
}

fn parsed(file: String) -> Option<Zval> {
    const RAW: i64 = 1;
    let parse = interpreter::function("parse_ini_file")?;
    let arguments = &mut [value::bytes(file.as_bytes()), value::boolean(false), value::long(RAW)];
    match call(&parse, arguments) {
        CallOutcome::Returned(values) => Some(values),
        _ => None,
    }
}

/// Sets them for good, as if PHP had started with them: the end of a request does not take them back.
/// What cannot be set so is logged.
pub fn apply(wanted: &[(String, Vec<u8>)]) {
    for (name, value) in wanted {
        // SAFETY: the table and its entries live as long as the process; the text does too, because an
        // entry does not free what it has from PHP's start.
        let set = unsafe {
            let found = zend_hash_str_find(
                (*globals::executor()).ini_directives,
                name.as_ptr().cast(),
                name.len(),
            );
            let Some(found) = found.as_ref() else { continue };
            let entry = found.value.ptr.cast::<zend_ini_entry>();
            let text = ext_php_rs_zend_string_init(value.as_ptr().cast(), value.len(), true);
            let taken = (*entry).on_modify.is_none_or(|modify| {
                let (first, second, third) = ((*entry).mh_arg1, (*entry).mh_arg2, (*entry).mh_arg3);
                modify(entry, text, first, second, third, STAGE_ACTIVATE) == SUCCESS
            });
            if taken {
                (*entry).value = text;
            }
            taken
        };
        if !set {
            log::warn!(
                "php_ini: '{name}' cannot be set while PHP runs: set it when PHP starts (php -d {name}=…)"
            );
        }
    }
}
