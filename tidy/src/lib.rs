//! The rules of this repository that a machine can check.
//!
//! Each rule is a function from the [`Tree`] to its [`Finding`]s, and has a test of its own that
//! shows it a bad snippet. `tests/tidy.rs` runs all of them over the repository.

#![forbid(unsafe_code)]

pub mod lexer;
pub mod map;
pub mod paths;
pub mod rules;
pub mod tree;

pub use tree::{SourceFile, Tree};

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the repository.
    pub path: String,
    /// Its line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Finding {
    /// A finding at a line of a file.
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// What a rule finds in the repository.
pub type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule, with the name that the test prints.
pub const RULES: &[(&str, Rule)] = &[
    ("file length", rules::size::files),
    ("function length", rules::size::functions),
    ("states, not flags", rules::states::flags),
    ("one type, one name", rules::types::names),
    ("manifest arrows", rules::arrows::manifests),
    ("source arrows", rules::arrows::sources),
    ("fork in one file", rules::arrows::fork),
    ("no leftovers", rules::words::leftovers),
    ("no machine paths", rules::words::machine_paths),
    ("no static mut", rules::unsafety::static_mut),
    ("SAFETY comments", rules::unsafety::safety_comments),
    ("forbid(unsafe_code)", rules::unsafety::forbidden),
    ("glue over the engine", rules::unsafety::glue),
    ("no panics", rules::words::panics),
    ("code map", rules::modules::documented),
    ("no dead files", rules::modules::dead),
];
