//! Words that must not stand in the repository.

use crate::lexer::{line_of, words};
use crate::{Finding, Tree, map};

// In pieces, so that this file does not find itself.
const LEFTOVERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const MACHINE: &[&str] = &[concat!("/wo", "rk"), concat!("/ro", "ot"), concat!("/ho", "me")];

const PANICS: &[(&str, &str)] = &[
    (".unwrap()", "handle it, or say with expect() why it cannot happen"),
    ("panic!(", "return an error"),
    ("todo!(", "finish it"),
    ("unimplemented!(", "finish it"),
    ("dbg!(", "use the log facade"),
];

/// Work that is left to be done is not left in the files.
pub fn leftovers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for word in LEFTOVERS {
            findings.extend(words(&file.text, word).map(|at| {
                Finding::new(&file.path, line_of(&file.text, at), format!("{word}: do it now"))
            }));
        }
    }
    findings
}

/// No file names a folder of the machine that it was written on.
pub fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for folder in MACHINE {
            for (at, _) in file.text.match_indices(folder) {
                let before = file.text[..at].bytes().next_back();
                let after = file.text[at + folder.len()..].bytes().next();
                let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.}*)/$".contains(&byte);
                let longer = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
                if before.is_some_and(inner) || after.is_some_and(longer) {
                    continue;
                }
                let message = format!("{folder} is a folder of one machine");
                findings.push(Finding::new(&file.path, line_of(&file.text, at), message));
            }
        }
    }
    findings
}

/// The product does not panic where it could answer.
pub fn panics(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in map::FOLDERS.iter().flat_map(|folder| tree.rust(folder)).filter(|f| !f.is_test()) {
        let code = file.product();
        for (call, advice) in PANICS {
            findings.extend(code.match_indices(call).map(|(at, _)| {
                Finding::new(&file.path, line_of(code, at), format!("{call}: {advice}"))
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found() {
        let text = format!("// {}: more\n// {}S\n", LEFTOVERS[0], LEFTOVERS[1]);
        assert_eq!(leftovers(&Tree::of(&[("a.php", &text)])).len(), 1);
    }

    #[test]
    fn machine_paths_are_found() {
        let bad = |text: String| machine_paths(&Tree::of(&[("a.md", &text)])).len();
        assert_eq!(bad(format!("cd {}/main", MACHINE[0])), 1);
        assert_eq!(bad(format!("\"{}\"", MACHINE[1])), 1);
        assert_eq!(bad(format!("{}ers https://example.org{}/", MACHINE[0], MACHINE[2])), 0);
        assert_eq!(bad(format!("$x{}s a/b{}", MACHINE[0], MACHINE[1])), 0);
    }

    #[test]
    fn panics_are_found_outside_of_tests() {
        let bad = |text: &str| panics(&Tree::of(&[("worker/src/a.rs", text)])).len();
        assert_eq!(bad("fn a() { b().unwrap(); }"), 1);
        assert_eq!(bad("fn a() { b().expect(\"why\"); }"), 0);
        assert_eq!(bad("#[cfg(test)]\nmod tests { fn a() { b().unwrap(); } }"), 0);
        assert_eq!(bad("// b().unwrap()"), 0);
    }
}
