//! Where and how `unsafe` may be used.

use crate::lexer::{line_of, words};
use crate::{Finding, Tree};

/// The files whose crate or module must carry `#![forbid(unsafe_code)]`.
const SAFE: &[&str] = &["worker/wire/src/lib.rs", "reactor/protocol/src/lib.rs"];

/// What only the glue over the engine does: it takes arguments, as the stubs have them, and counts
/// references.
const GLUE_ONLY: &[(&str, &str)] = &[
    ("zend_parse_parameters", "the stub says what a method takes; see signatures.rs"),
    ("refcount", "use Text, value::object or Object::into_value"),
];
const GLUE: &[&str] = &["ext/src/engine/zend.rs", "ext/src/engine/zend/", "ext/src/signatures.rs"];

/// Arguments are taken and references counted in one place.
pub fn glue(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let outside = |path: &str| !GLUE.iter().any(|glue| path.starts_with(glue));
    for file in tree.rust("ext/src/").filter(|file| outside(&file.path)) {
        for (word, advice) in GLUE_ONLY {
            findings.extend(words(&file.code, word).map(|at| {
                Finding::new(&file.path, line_of(&file.code, at), format!("{word}: {advice}"))
            }));
        }
    }
    findings
}

/// There is no mutable static.
pub fn static_mut(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        for at in words(&file.code, "static") {
            let rest = file.code[at + "static".len()..].trim_start();
            let lifetime = file.code[..at].ends_with('\'');
            if rest.starts_with("mut ") && !lifetime {
                let line = line_of(&file.code, at);
                findings.push(Finding::new(&file.path, line, "a mutable static: pass state along"));
            }
        }
    }
    findings
}

/// Every unsafe block and impl says why it is sound: a comment with `SAFETY:` above it.
pub fn safety_comments(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        for at in words(&file.code, "unsafe") {
            let rest = file.code[at + "unsafe".len()..].trim_start();
            if !rest.starts_with('{') && !rest.starts_with("impl") {
                continue;
            }
            // From the end of the statement before, so that a comment above a statement counts
            // for the block inside of it.
            let start = file.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
            if !file.text[start..at].contains("SAFETY:") {
                let message = "unsafe without a SAFETY comment above it";
                findings.push(Finding::new(&file.path, line_of(&file.code, at), message));
            }
        }
    }
    findings
}

/// The pure parts forbid unsafe code altogether.
pub fn forbidden(tree: &Tree) -> Vec<Finding> {
    let missing = |path: &&&str| {
        !tree.get(path).is_some_and(|file| file.code.contains("#![forbid(unsafe_code)]"))
    };
    SAFE.iter()
        .filter(missing)
        .map(|path| Finding::new(path, 1, "lacks #![forbid(unsafe_code)]"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_counts_references_alone() {
        let bad = |path: &str, text: &str| glue(&Tree::of(&[(path, text)])).len();
        let parse = "fn a() { unsafe { zend_parse_parameters(1, s) } }";
        assert_eq!(bad("ext/src/php/server/mod.rs", parse), 1);
        assert_eq!(bad("ext/src/engine/zend/method.rs", parse), 0);
        assert_eq!(bad("ext/src/php/port.rs", "fn a() { (*object).gc.refcount -= 1; }"), 1);
        assert_eq!(bad("ext/src/php/port.rs", "// refcount"), 0);
    }

    fn file(text: &str) -> Tree {
        Tree::of(&[("ext/src/a.rs", text)])
    }

    #[test]
    fn mutable_statics_are_found() {
        assert_eq!(static_mut(&file("static mut A: u8 = 0;")).len(), 1);
        assert_eq!(static_mut(&file("static A: u8 = 0; // static mut")), []);
        assert_eq!(static_mut(&file("fn a() -> &'static mut u8 { b() }")), []);
    }

    #[test]
    fn unsafe_without_a_reason_is_found() {
        assert_eq!(safety_comments(&file("fn a() { unsafe { b() } }")).len(), 1);
        assert_eq!(safety_comments(&file("unsafe impl Send for A {}")).len(), 1);
        assert_eq!(safety_comments(&file("fn a() {\n// SAFETY: x\nlet y = unsafe { b() };}")), []);
        let second = "fn a() {\n// SAFETY: x\nunsafe { b() };\nunsafe { c() };}";
        assert_eq!(safety_comments(&file(second))[0].line, 4);
        assert_eq!(safety_comments(&file("unsafe fn a() {}")), []);
    }

    #[test]
    fn pure_parts_must_forbid_it() {
        let wire = (SAFE[0], "#![forbid(unsafe_code)]");
        let commented = (SAFE[1], "// #![forbid(unsafe_code)]");
        assert_eq!(forbidden(&Tree::of(&[wire, commented])).len(), 1);
        assert_eq!(forbidden(&Tree::of(&[wire, (SAFE[1], wire.1)])), []);
    }
}
