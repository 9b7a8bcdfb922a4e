//! The process model with real processes, sockets and signals. Each case starts this program once
//! more as a server: a single-threaded process that forks a played reactor and real workers.

mod client;
mod forks;
mod hostile;
mod lifecycle;
mod replies;
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// A case: its name, and what it does.
type Case = (&'static str, fn());

/// Names a test function as a case.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// All cases of this file.
        pub const CASES: &[$crate::Case] = &[$((stringify!($name), $name)),*];
    };
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == "--server"
    {
        return server::main(rest);
    }
    let filters: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let cases = lifecycle::CASES.iter();
    let cases = cases.chain(forks::CASES).chain(replies::CASES).chain(hostile::CASES);
    let chosen = cases.filter(|(name, _)| {
        filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
    });
    let mut failed = Vec::new();
    for (name, case) in chosen {
        let begun = Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(case)).is_ok();
        let outcome = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {outcome} ({:.2} s)", begun.elapsed().as_secs_f64());
        if !passed {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("failed: {failed:?}");
    ExitCode::FAILURE
}
