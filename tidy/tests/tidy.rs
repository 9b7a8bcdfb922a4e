//! Runs every rule over the repository.

use std::path::Path;

use tidy::{Finding, RULES, Tree};

#[test]
fn the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tidy/ is in the repository");
    let tree = Tree::read(root);
    assert!(tree.files.len() > 20, "the repository's files were not found");

    let mut report = String::new();
    for (name, rule) in RULES {
        let mut findings: Vec<Finding> = rule(&tree);
        findings.sort();
        findings.dedup();
        for finding in findings {
            report.push_str(&format!("{finding} [{name}]\n"));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
