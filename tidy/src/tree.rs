//! The files that the rules look at.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::lexer;

/// The text files of the repository.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<SourceFile>,
}

/// One text file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// For Rust: the text with comments and the contents of literals blanked out, line for line;
    /// empty for other files.
    pub code: String,
}

impl SourceFile {
    /// A file with these contents.
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { lexer::code(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Whether it is a Rust file.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it holds tests only: in a `tests/` folder, or a `tests.rs` beside what it tests.
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "php-tests" | "tests.rs"))
    }

    /// The code before a trailing `#[cfg(test)] mod tests`.
    pub fn product(&self) -> &str {
        &self.code[..self.product_end()]
    }

    /// How many lines come before a trailing `#[cfg(test)] mod tests`.
    pub fn product_lines(&self) -> usize {
        if self.is_rust() {
            self.text[..self.product_end()].lines().count()
        } else {
            self.text.lines().count()
        }
    }

    fn product_end(&self) -> usize {
        let mut from = 0;
        while let Some(found) = self.code[from..].find("#[cfg(test)]") {
            let at = from + found;
            let rest = self.code[at + "#[cfg(test)]".len()..].trim_start();
            let inline = rest.find(['{', ';']).is_some_and(|end| rest.as_bytes()[end] == b'{');
            if rest.starts_with("mod ") && inline {
                return at;
            }
            from = at + 1;
        }
        self.code.len()
    }
}

impl Tree {
    /// A tree of these files; for tests of the rules.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| SourceFile::new(path, text)).collect() }
    }

    /// What git tracks under `root`, and what it would track; without git every file outside of
    /// folders that are built.
    pub fn read(root: &Path) -> Self {
        let mut paths = git_files(root).unwrap_or_else(|| walk(root));
        paths.sort();
        let files = paths
            .iter()
            .filter_map(|path| {
                let text = fs::read_to_string(root.join(path)).ok()?;
                Some(SourceFile::new(path, &text))
            })
            .collect();
        Self { files }
    }

    /// The file with this path.
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files below a folder, which ends with `/`.
    pub fn rust<'a>(&'a self, below: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.is_rust() && file.path.starts_with(below))
    }
}

fn git_files(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = String::from_utf8(output.stdout).ok()?;
    Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn walk(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let built = ["target", "modules", "build", "autom4te.cache", "vendor", ".git"];
            if path.is_dir() {
                if !built.iter().any(|skipped| name.to_str() == Some(skipped)) {
                    folders.push(path);
                }
            } else if let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                found.push(relative.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_test_module_is_apart() {
        let source =
            SourceFile::new("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n");
        assert_eq!(source.product_lines(), 1);
        assert!(!source.product().contains("fn b"));
    }

    #[test]
    fn a_test_module_in_another_file_ends_nothing() {
        let source = SourceFile::new("a.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
        assert!(source.product().contains("fn a"));
    }
}
