//! Asks an HTTP/3 server by quinn and h3, and says what it found.
//!
//! usage: http3-client PORT AUTHORITY CASE [NUMBER ...]
//!
//! AUTHORITY is a PEM file with the certificate that the server's must lead to; the server is asked
//! for on 127.0.0.1, by the name `localhost`. What a case needs of the server is in
//! `http3-tests/server.php`. The exit code is 0 when all was as it should be; what was not is said
//! on standard error.

mod cases;
mod client;
mod error;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use error::{Failure, failure};

/// However much is asked: after so long, something hangs.
const DEADLINE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(Err(failure(error))),
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    report(runtime.block_on(async {
        match tokio::time::timeout(DEADLINE, run(&arguments)).await {
            Ok(result) => result,
            Err(_) => Err(failure(format!("not in {DEADLINE:?}"))),
        }
    }))
}

async fn run(arguments: &[String]) -> Result<(), Failure> {
    let [port, authority, case, numbers @ ..] = arguments else {
        return Err(failure("usage: http3-client PORT AUTHORITY CASE [NUMBER ...]"));
    };
    let port = port.parse().map_err(|_| failure("PORT is not one"))?;
    let numbers: Vec<usize> = numbers
        .iter()
        .map(|number| number.parse().map_err(|_| failure("a NUMBER is not one")))
        .collect::<Result<_, _>>()?;
    cases::run(port, Path::new(authority), case, &numbers).await
}

fn report(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
