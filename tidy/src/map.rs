//! The code map of ARCHITECTURE.md, from the first sentence of each module.

use crate::Tree;

/// The file that holds the map.
pub const FILE: &str = "ARCHITECTURE.md";
/// The folders whose modules it names, in its order.
pub const FOLDERS: &[&str] = &[
    "worker/wire/src/",
    "reactor/protocol/src/",
    "reactor/otlp/src/",
    "reactor/src/",
    "worker/src/",
    "worker/ancillary/src/",
    "ext/config/src/",
    "ext/arginfo/src/",
    "ext/src/",
];

const BEGIN: &str = "<!-- code map: cargo run -p tidy --bin code-map -->\n";
const END: &str = "<!-- end of the code map -->\n";

/// The document with its map made anew; `None` when it has no place for one.
pub fn renew(document: &str, tree: &Tree) -> Option<String> {
    let start = document.find(BEGIN)? + BEGIN.len();
    let end = start + document[start..].find(END)?;
    Some(format!("{}{}{}", &document[..start], map(tree), &document[end..]))
}

fn map(tree: &Tree) -> String {
    let mut text = String::new();
    for folder in FOLDERS {
        text.push_str(&format!("\n### `{folder}`\n\n| module | what it is |\n|---|---|\n"));
        for file in tree.rust(folder).filter(|file| !file.is_test()) {
            let about = sentence(&file.text).replace('|', "\\|");
            text.push_str(&format!("| `{}` | {about} |\n", file.path));
        }
    }
    text.push('\n');
    text
}

/// The first sentence of the module's documentation, links to items as plain code.
fn sentence(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    let words: Vec<&str> =
        lines.map(|line| line[3..].trim()).take_while(|line| !line.is_empty()).collect();
    let paragraph = words.join(" ").replace("[`", "`").replace("`]", "`");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_made_anew_in_its_place() {
        let tree = Tree::of(&[
            ("reactor/src/a.rs", "//! [`A`]: one\n//! thing. And more.\n//!\n//! Details.\n"),
            ("reactor/src/a/tests.rs", "//! Tests.\n"),
        ]);
        let old = format!("before\n{BEGIN}old\n{END}after\n");
        let new = renew(&old, &tree).expect("there is a place for the map");
        assert!(new.starts_with("before\n") && new.ends_with("after\n"), "{new}");
        assert!(new.contains("| `reactor/src/a.rs` | `A`: one thing. |\n"), "{new}");
        assert!(!new.contains("old") && !new.contains("tests.rs"), "{new}");
        assert_eq!(renew(&new, &tree).as_ref(), Some(&new));
        assert_eq!(renew("nothing", &tree), None);
    }
}
