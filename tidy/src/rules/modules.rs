//! Every module is reachable, and named in ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::lexer::words;
use crate::{Finding, Source, Tree};

const MAP: &str = "ARCHITECTURE.md";
const MAPPED: &[&str] = &["ext/src/", "reactor/src/", "worker/src/", "worker/wire/src/"];

/// Every module of the product is named in ARCHITECTURE.md by its path, and every path that is
/// named there exists.
pub fn documented(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.get(MAP) else {
        return vec![Finding::new(MAP, 0, "is missing")];
    };
    let mut findings = Vec::new();
    let modules = MAPPED.iter().flat_map(|folder| tree.rust(folder)).filter(|f| !f.is_test());
    for file in modules {
        if !map.text.contains(&format!("`{}`", file.path)) {
            findings.push(Finding::new(&file.path, 0, format!("is not named in {MAP}")));
        }
    }
    for (number, line) in map.text.lines().enumerate() {
        for name in line.split('`').skip(1).step_by(2) {
            let path = MAPPED.iter().any(|folder| name.starts_with(folder));
            if path && name.ends_with(".rs") && tree.get(name).is_none() {
                findings.push(Finding::new(MAP, number + 1, format!("{name} does not exist")));
            }
        }
    }
    findings
}

/// Every Rust file is a crate root or is reached by `mod` from one.
pub fn dead(tree: &Tree) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Source> = tree.files.iter().filter(|file| is_root(tree, file)).collect();
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

fn is_root(tree: &Tree, file: &Source) -> bool {
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
        "build.rs" => tree.get(&format!("{folder}/Cargo.toml")).is_some(),
        _ => ["src/bin", "tests", "benches", "examples", "fuzz_targets"].iter().any(|p| inside(p)),
    }
}

fn children<'a>(tree: &'a Tree, file: &Source) -> Vec<&'a Source> {
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
fn path_attribute(file: &Source, at: usize) -> Option<String> {
    let start = file.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    let attribute = file.code[start..at].find("#[path")?;
    let mut quoted = file.text[start + attribute..at].split('"');
    quoted.nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnamed_and_vanished_modules_are_found() {
        let map = (MAP, "`reactor/src/lib.rs` and `reactor/src/gone.rs`");
        let tree = Tree::of(&[map, ("reactor/src/lib.rs", ""), ("reactor/src/new.rs", "")]);
        let found: Vec<String> = documented(&tree).into_iter().map(|f| f.message).collect();
        assert_eq!(
            found,
            ["is not named in ARCHITECTURE.md", "reactor/src/gone.rs does not exist"]
        );
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
        ]);
        let found: Vec<String> = dead(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["a/src/dead.rs", "a/tests/lost/mod.rs"]);
    }
}
