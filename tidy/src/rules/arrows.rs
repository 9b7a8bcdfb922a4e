//! The arrows between crates and modules that must never exist.

use crate::lexer::{line_of, words};
use crate::paths::{paths, starts_with};
use crate::{Finding, SourceFile, Tree};

/// What a crate's manifest must not name, in any section of dependencies.
const MANIFESTS: &[(&str, &[&str])] = &[
    ("reactor/Cargo.toml", &["config", "ext-php-rs", "ferrite", "worker"]),
    (
        "reactor/protocol/Cargo.toml",
        &["config", "ext-php-rs", "ferrite", "libc", "mio", "nix", "reactor", "socket2", "worker"],
    ),
    (
        "reactor/otlp/Cargo.toml",
        &["config", "ext-php-rs", "ferrite", "libc", "mio", "nix", "reactor", "socket2", "worker"],
    ),
    (
        "worker/Cargo.toml",
        &["config", "ext-php-rs", "ferrite", "h2", "httparse", "mio", "quiche", "reactor"],
    ),
    ("ext/config/Cargo.toml", &["ferrite"]),
];

/// All that `wire` may depend on; what its tests use comes on top. `log` is a facade: what it does is
/// the process's.
const WIRE_MAY: &[&str] = &["bincode", "bytes", "http", "log"];
const WIRE_TESTS_MAY: &[&str] = &["proptest"];

/// What the product code below a folder must not name.
const SOURCES: &[(&str, &[&str])] = &[
    ("reactor/src/", &["ext_php_rs", "worker", "ferrite"]),
    ("reactor/protocol/src/", &["ext_php_rs", "ferrite", "reactor", "worker"]),
    ("reactor/otlp/src/", &["ext_php_rs", "ferrite", "reactor", "worker"]),
    ("worker/src/", &["reactor", "mio", "httparse", "h2", "quiche", "ext_php_rs", "ferrite"]),
    (
        "worker/wire/src/",
        &[
            "ext_php_rs",
            "libc",
            "mio",
            "nix",
            "reactor",
            "socket2",
            "std::env",
            "std::fs",
            "std::io",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::os::unix::net",
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
            "worker",
        ],
    ),
];

/// What protocols must not name: sockets, descriptors, the system, threads.
const PROTOCOL_NOT: &[&str] = &[
    "libc",
    "mio",
    "nix",
    "socket2",
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
];
const PROTOCOLS: &str = "reactor/protocol/src/";

/// The shape of an asynchronous stream, which one file gives to two buffers in memory: names of
/// types, no I/O.
const MEMORY_IO: &str = "reactor/protocol/src/h2/memory_io.rs";
const MEMORY_IO_MAY: &[&str] = &["std::io::IoSlice", "std::io::Result"];

/// No manifest draws a forbidden arrow, and only `ext` knows of Zend.
pub fn manifests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        for (line, section, name) in dependencies(&file.text) {
            let banned = MANIFESTS
                .iter()
                .any(|(path, names)| *path == file.path && names.contains(&name.as_str()));
            let zend = name == "ext-php-rs" && file.path != "ext/Cargo.toml";
            let tests = section.contains("dev-dependencies");
            let impure = file.path == "worker/wire/Cargo.toml"
                && !WIRE_MAY.contains(&name.as_str())
                && !(tests && WIRE_TESTS_MAY.contains(&name.as_str()));
            if banned || zend || impure {
                findings.push(Finding::new(&file.path, line, format!("must not depend on {name}")));
            }
        }
    }
    findings
}

/// No source file draws a forbidden arrow.
pub fn sources(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let code = if file.is_test() { &file.code } else { file.product() };
        for (at, path) in paths(code) {
            if let Some(why) = forbidden(file, &path) {
                findings.push(Finding::new(&file.path, line_of(code, at), why));
            }
        }
    }
    findings
}

/// Processes are forked in one file of `worker/`, and nowhere else.
pub fn fork(tree: &Tree) -> Vec<Finding> {
    let calls: Vec<(&SourceFile, usize)> = tree
        .files
        .iter()
        .filter(|file| file.is_rust() && !file.is_test())
        .flat_map(|file| {
            let code = file.product();
            ["fork", "vfork"].into_iter().flat_map(move |word| {
                words(code, word)
                    .filter(move |at| code[at + word.len()..].trim_start().starts_with('('))
                    .filter(move |at| !code[..*at].trim_end().ends_with("fn"))
                    .map(move |at| (file, at))
            })
        })
        .collect();
    let home =
        calls.iter().map(|(file, _)| &file.path).find(|path| path.starts_with("worker/src/"));
    calls
        .iter()
        .filter(|(file, _)| Some(&file.path) != home)
        .map(|(file, at)| {
            let message = match home {
                Some(home) => format!("fork is called in {home} only"),
                None => "fork is called in one file of worker/ only".to_owned(),
            };
            Finding::new(&file.path, line_of(&file.code, *at), message)
        })
        .collect()
}

fn forbidden(file: &SourceFile, path: &str) -> Option<String> {
    let below = |folder: &str| file.path.starts_with(folder);
    let named = |names: &[&str]| names.iter().any(|name| starts_with(path, name));
    if below(PROTOCOLS) {
        let clock = path.ends_with("Instant::now") || path.ends_with("SystemTime::now");
        let shape = file.path == MEMORY_IO && MEMORY_IO_MAY.contains(&path);
        if named(PROTOCOL_NOT) && !shape || clock {
            return Some(format!("protocols are pure state machines: they must not name {path}"));
        }
    }
    let crate_rule = SOURCES
        .iter()
        .any(|(folder, names)| below(folder) && !path_is_local(file, path) && named(names));
    if crate_rule {
        return Some(format!("must not name {path}"));
    }
    let zend = starts_with(path, "ext_php_rs") && !below("ext/src/");
    zend.then(|| "only ext/src/ may name ext_php_rs".to_owned())
}

/// A module or variable that shares its name with a crate is named with `self`, `super` or
/// `crate` before it; only its declaration stands alone.
fn path_is_local(file: &SourceFile, path: &str) -> bool {
    let first = path.split("::").next().unwrap_or(path);
    let declared = format!("mod {first}");
    words(&file.code, &declared).next().is_some()
}

/// `(line, section, crate)` of every dependency that a manifest names.
fn dependencies(text: &str) -> Vec<(usize, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            if let Some((table, name)) = section.split_once("dependencies.") {
                found.push((number + 1, format!("{table}dependencies"), name.to_owned()));
            }
        } else if section.ends_with("dependencies") && section != "workspace.dependencies" {
            let name: String =
                line.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            if !name.is_empty() {
                found.push((number + 1, section.clone(), name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_held() {
        let bad = |path: &str, text: &str| manifests(&Tree::of(&[(path, text)])).len();
        assert_eq!(bad("reactor/Cargo.toml", "[dependencies]\nworker.workspace = true\n"), 1);
        assert_eq!(bad("reactor/protocol/Cargo.toml", "[dependencies]\nreactor = \"1\"\n"), 1);
        assert_eq!(bad("worker/Cargo.toml", "[dependencies.mio]\nversion = \"1\"\n"), 1);
        assert_eq!(bad("worker/wire/Cargo.toml", "[dependencies]\nnix = \"0.31\"\n"), 1);
        assert_eq!(bad("worker/wire/Cargo.toml", "[dev-dependencies]\nproptest = \"1\"\n"), 0);
        assert_eq!(bad("worker/Cargo.toml", "[dev-dependencies]\next-php-rs = \"1\"\n"), 1);
        assert_eq!(bad("reactor/Cargo.toml", "[package]\nworker = 1\n"), 0);
    }

    #[test]
    fn sources_are_held() {
        let bad = |path: &str, text: &str| sources(&Tree::of(&[(path, text)])).len();
        assert_eq!(bad("reactor/src/a.rs", "use ext_php_rs::Zval;"), 1);
        assert_eq!(bad("ext/config/src/a.rs", "use ext_php_rs::Zval;"), 1);
        assert_eq!(bad("ext/src/a.rs", "use ext_php_rs::Zval;"), 0);
        assert_eq!(bad("worker/src/a.rs", "fn a() { mio::Poll::new(); }"), 1);
        assert_eq!(bad("worker/wire/src/a.rs", "use std::{io::Read, sync::Arc};"), 1);
        assert_eq!(bad("reactor/protocol/src/a.rs", "fn a() { Instant::now(); }"), 1);
        assert_eq!(bad("reactor/protocol/src/h1/a.rs", "use reactor::dispatch::Queue;"), 1);
        assert_eq!(bad("reactor/protocol/src/h1/a.rs", "use crate::Now;"), 0);
        assert_eq!(bad("reactor/tests/a.rs", "use worker::Plan;"), 0);
        assert_eq!(bad("reactor/src/a.rs", "// worker::Plan\nlet a = \"mio::x\";"), 0);
    }

    #[test]
    fn fork_has_one_home() {
        let spawn = ("worker/src/spawn.rs", "fn a() { unsafe { fork() } }");
        assert_eq!(fork(&Tree::of(&[spawn])), []);
        assert_eq!(fork(&Tree::of(&[spawn, ("worker/src/b.rs", "nix::unistd::fork();")])).len(), 1);
        assert_eq!(fork(&Tree::of(&[("ext/src/b.rs", "libc::fork ();")])).len(), 1);
    }
}
