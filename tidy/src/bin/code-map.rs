//! Renews the code map in ARCHITECTURE.md.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use tidy::{Tree, map};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(map::FILE);
    let renewed = fs::read_to_string(&path)
        .ok()
        .and_then(|document| map::renew(&document, &Tree::read(&root)))
        .is_some_and(|document| fs::write(&path, document).is_ok());
    if renewed {
        return ExitCode::SUCCESS;
    }
    eprintln!("{} has no place for the code map", map::FILE);
    ExitCode::FAILURE
}
