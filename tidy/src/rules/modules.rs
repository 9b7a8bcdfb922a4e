//! Every module is reachable, and named in ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::lexer::words;
use crate::{Finding, SourceFile, Tree, map};

const ADVICE: &str = "the code map is old: cargo run -p tidy --bin code-map";

/// ARCHITECTURE.md names every module of the product, with its first sentence.
pub fn documented(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.get(map::FILE) else {
        return vec![Finding::new(map::FILE, 0, "is missing")];
    };
    let Some(renewed) = map::renew(&document.text, tree) else {
        return vec![Finding::new(map::FILE, 0, "has no place for the code map")];
    };
    let mut findings = Vec::new();
    for line in renewed.lines().filter(|line| !document.text.contains(*line)) {
        let path = line.split('`').nth(1).unwrap_or(map::FILE);
        findings.push(Finding::new(path, 0, format!("{}: {ADVICE}", map::FILE)));
    }
    if findings.is_empty() && renewed != document.text {
        findings.push(Finding::new(map::FILE, 0, ADVICE));
    }
    findings
}

/// Every Rust file is a crate root or is reached by `mod` from one.
pub fn dead(tree: &Tree) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&SourceFile> = tree.files.iter().filter(|file| is_root(tree, file)).collect();
    while let Some(file) = open.pop() {
        if !reached.insert(file.path.clone()) {
            continue;
        }
        open.extend(children(tree, file));
    }
    tree.files
        .iter()
        .filter(|file| file.is_rust() && !reached.contains(&file.path))
        .map(|file| Finding::new(&file.path, 0, "no crate or module reaches this file"))
        .collect()
}

fn is_root(tree: &Tree, file: &SourceFile) -> bool {
    if !file.is_rust() {
        return false;
    }
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let inside = |part: &str| {
        let package = folder.strip_suffix(part).and_then(|rest| rest.strip_suffix('/'));
        package.is_some_and(|package| tree.get(&format!("{package}/Cargo.toml")).is_some())
    };
    match name {
        "lib.rs" | "main.rs" if inside("src") => true,
        // A test of several files: tests/NAME/main.rs.
        "main.rs" => folder.rsplit_once('/').is_some_and(|(tests, _)| is_tests_folder(tree, tests)),
        "build.rs" => tree.get(&format!("{folder}/Cargo.toml")).is_some(),
        _ => ["src/bin", "tests", "benches", "examples", "fuzz_targets"].iter().any(|p| inside(p)),
    }
}

fn is_tests_folder(tree: &Tree, folder: &str) -> bool {
    let package = folder.strip_suffix("/tests");
    package.is_some_and(|package| tree.get(&format!("{package}/Cargo.toml")).is_some())
}

fn children<'a>(tree: &'a Tree, file: &SourceFile) -> Vec<&'a SourceFile> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.trim_end_matches(".rs");
    let own = match stem {
        "mod" | "lib" | "main" => folder.to_owned(),
        _ if is_root(tree, file) => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    let mut found = Vec::new();
    for at in words(&file.code, "mod") {
        let rest = file.code[at + "mod".len()..].trim_start();
        let Some((module, _)) = rest.split_once(';') else { continue };
        let module = module.trim().trim_start_matches("r#");
        let candidates = match path_attribute(file, at) {
            Some(path) => vec![format!("{folder}/{path}")],
            None => vec![format!("{own}/{module}.rs"), format!("{own}/{module}/mod.rs")],
        };
        found.extend(candidates.iter().filter_map(|path| tree.get(path)));
    }
    found
}

/// The value of `#[path = "…"]` on the item at `at`.
fn path_attribute(file: &SourceFile, at: usize) -> Option<String> {
    let start = file.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    let attribute = file.code[start..at].find("#[path")?;
    let mut quoted = file.text[start + attribute..at].split('"');
    quoted.nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_code_map_is_found() {
        let paths = |files: &[(&str, &str)]| -> Vec<String> {
            documented(&Tree::of(files)).into_iter().map(|finding| finding.path).collect()
        };
        let library = ("reactor/src/lib.rs", "//! The reactor.\n");
        let added = ("reactor/src/new.rs", "//! New.\n");
        let empty =
            "<!-- code map: cargo run -p tidy --bin code-map -->\n<!-- end of the code map -->\n";
        let document = map::renew(empty, &Tree::of(&[library])).expect("there is a place");
        let document = (map::FILE, document.as_str());
        assert_eq!(paths(&[document, library]), [""; 0]);
        assert_eq!(paths(&[document, library, added]), ["reactor/src/new.rs"]);
        assert_eq!(paths(&[document]), [map::FILE]);
        assert_eq!(paths(&[library]), [map::FILE]);
    }

    #[test]
    fn dead_files_are_found() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", ""),
            (
                "a/src/lib.rs",
                "mod b;\n#[cfg(test)]\n#[path = \"odd.rs\"]\nmod tests;\nmod inline {}",
            ),
            ("a/src/b/mod.rs", "pub mod c;"),
            ("a/src/b/c.rs", "mod d;"),
            ("a/src/b/c/d.rs", ""),
            ("a/src/odd.rs", ""),
            ("a/src/dead.rs", "// mod dead;"),
            ("a/tests/process.rs", "mod common;"),
            ("a/tests/common/mod.rs", ""),
            ("a/tests/lost/mod.rs", ""),
            ("a/tests/big/main.rs", "mod part;"),
            ("a/tests/big/part.rs", ""),
        ]);
        let found: Vec<String> = dead(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["a/src/dead.rs", "a/tests/lost/mod.rs"]);
    }
}
