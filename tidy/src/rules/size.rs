//! How long files and functions may be. Tests may be longer.

use crate::lexer::{block_end, line_of, words};
use crate::{Finding, SourceFile, Tree};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// A file has at most 400 lines.
pub fn files(tree: &Tree) -> Vec<Finding> {
    let limited = tree.files.iter().filter(|file| is_source(file) && !file.is_test());
    limited
        .filter(|file| file.product_lines() > FILE_LINES_MAX)
        .map(|file| {
            let lines = file.product_lines();
            Finding::new(
                &file.path,
                0,
                format!("{lines} lines: split it ({FILE_LINES_MAX} at most)"),
            )
        })
        .collect()
}

/// A Rust function has at most 70 lines, and so has a Python one.
pub fn functions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.is_test()) {
        let lengths = if file.is_rust() {
            rust_functions(file)
        } else if is_python(file) {
            python_functions(&file.text)
        } else {
            Vec::new()
        };
        for (line, length) in lengths.into_iter().filter(|(_, length)| *length > FUNCTION_LINES_MAX)
        {
            let message =
                format!("a function of {length} lines: split it ({FUNCTION_LINES_MAX} at most)");
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

fn is_source(file: &SourceFile) -> bool {
    let script = file.text.starts_with("#!");
    script
        || [".rs", ".php", ".py", ".sh", ".lua", ".m4"].iter().any(|end| file.path.ends_with(end))
}

fn is_python(file: &SourceFile) -> bool {
    file.path.ends_with(".py") || file.text.starts_with("#!/usr/bin/env python3")
}

fn rust_functions(file: &SourceFile) -> Vec<(usize, usize)> {
    let code = file.product();
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let Some(stop) = code[at..].find(['{', ';']).map(|len| at + len) else { continue };
        if code.as_bytes()[stop] == b';' {
            continue;
        }
        let Some(end) = block_end(code, stop) else { continue };
        let line = line_of(code, at);
        found.push((line, line_of(code, end) - line + 1));
    }
    found
}

/// From `def` to the last line that is indented deeper.
fn python_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !line.trim_start().starts_with("def ") {
            continue;
        }
        let mut last = start;
        for (at, next) in lines.iter().enumerate().skip(start + 1) {
            if next.trim().is_empty() || next.trim_start().starts_with(')') {
                continue;
            }
            if indent(next) <= indent(line) {
                break;
            }
            last = at;
        }
        found.push((start + 1, last - start + 1));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found_and_test_modules_do_not_count() {
        let long = "// x\n".repeat(401);
        assert_eq!(files(&Tree::of(&[("a/src/lib.rs", &long)])).len(), 1);
        assert_eq!(files(&Tree::of(&[("a/tests/big.rs", &long)])).len(), 0);
        let tested = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(files(&Tree::of(&[("a/src/lib.rs", &tested)])).len(), 0);
    }

    #[test]
    fn long_functions_are_found() {
        let function = |lines: usize| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines));
        assert_eq!(functions(&Tree::of(&[("a/src/lib.rs", &function(68))])), []);
        let found = functions(&Tree::of(&[("a/src/lib.rs", &function(69))]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }

    #[test]
    fn long_python_functions_are_found() {
        let text = format!("def a(\n    b,\n):\n{}\ndef c():\n    pass\n", "    b()\n".repeat(70));
        let found = functions(&Tree::of(&[("bench/a.py", &text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }
}
