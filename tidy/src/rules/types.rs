//! A type says by its name alone what it is.

use std::collections::HashMap;

use crate::lexer::{is_word, line_of, words};
use crate::{Finding, SourceFile, Tree};

/// Programs of their own, which share no type with the workspace.
const APART: &[&str] = &["reactor/fuzz/", "http3-tests/"];

/// The words before the name of a type. None of them may stand anywhere else.
const DECLARATIONS: &[&str] = &["struct", "enum", "trait"];

/// No two types of the workspace have one name, but for those of tests.
pub fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first: HashMap<&str, (&str, usize)> = HashMap::new();
    let apart = |path: &str| APART.iter().any(|folder| path.starts_with(folder));
    for file in tree.files.iter().filter(|file| !file.is_test() && !apart(&file.path)) {
        for (name, line) in declared(file) {
            let Some((path, before)) = first.get(name) else {
                first.insert(name, (&file.path, line));
                continue;
            };
            let message = format!(
                "{path}:{before} has a type {name} too: give one of them a name that says what it is"
            );
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

/// The names of types that a file declares, with their lines, in their order.
fn declared(file: &SourceFile) -> Vec<(&str, usize)> {
    let code = file.product();
    let mut found = Vec::new();
    for at in declarations(code) {
        let name = code[at..].trim_start();
        let len = name.bytes().position(|byte| !is_word(byte)).unwrap_or(name.len());
        // In a macro the name may be an argument of it.
        if len > 0 {
            found.push((at, &name[..len]));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(at, name)| (name, line_of(code, at))).collect()
}

/// The offsets behind the words that come before the name of a type.
fn declarations(code: &str) -> impl Iterator<Item = usize> {
    let types = DECLARATIONS.iter().flat_map(|word| words(code, word).map(|at| at + word.len()));
    // Those within a trait or its implementation are named by it.
    let alias = "type";
    let aliases = words(code, alias).filter(|&at| {
        let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = &code[line..at];
        before.is_empty() || before.starts_with("pub")
    });
    types.chain(aliases.map(move |at| at + alias.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_found_with_both_places() {
        let tree = Tree::of(&[
            ("reactor/src/a.rs", "pub struct State {\n}\n"),
            ("worker/src/b.rs", "\nenum Other {}\n\npub(crate) enum State<T> {}\n"),
        ]);
        let message = "worker/src/b.rs:4: reactor/src/a.rs:1 has a type State too: give one of them a \
                       name that says what it is";
        assert_eq!(names(&tree).iter().map(Finding::to_string).collect::<Vec<_>>(), [message]);
    }

    #[test]
    fn types_of_every_kind_are_looked_at() {
        let twice = |a: &str, b: &str| names(&Tree::of(&[("a/src/a.rs", a), ("b/b.rs", b)])).len();
        for declaration in [
            "struct A;",
            "pub struct A(u8);",
            "enum A {}",
            "unsafe trait A: B {}",
            "pub type A = B;",
            "type A<T> = B<T>;",
            "mod inner {\n    struct A {}\n}",
            "macro_rules! made {\n    () => {\n        pub enum A {}\n    };\n}",
        ] {
            assert_eq!(twice(declaration, "trait A {}"), 1, "{declaration}");
        }
        for other in [
            "struct Ab;",
            "impl B for C {\n    type A = u8;\n}",
            "// struct A;\nconst TEXT: &str = \"enum A\";",
            "struct C;\n#[cfg(test)]\nmod tests {\n    struct A;\n}",
            "macro_rules! made {\n    ($A:ident) => {\n        pub enum $A {}\n    };\n}",
        ] {
            assert_eq!(twice(other, "trait A {}"), 0, "{other}");
        }
        assert_eq!(twice("struct A;\nstruct A;", ""), 1);
    }

    #[test]
    fn tests_and_programs_of_their_own_are_left_alone() {
        let tree = Tree::of(&[
            ("reactor/src/a.rs", "struct A;"),
            ("reactor/src/a/tests.rs", "struct A;"),
            ("reactor/tests/a.rs", "struct A;"),
            ("reactor/fuzz/src/a.rs", "struct A;"),
        ]);
        assert_eq!(names(&tree), []);
    }
}
