//! HTTP/3 load: many connections with many streams each, a download, or connections that idle.
//!
//! ```text
//! h3load [option…] https://ADDRESS:PORT/PATH
//!
//!   --ca FILE            certificate that the server's is checked against, for the name localhost
//!   --connections N      connections, each with a socket and a port of its own (1)
//!   --streams N          requests in flight on each (1)
//!   --seconds N          begin requests for so long, then wait for the last ones
//!   --requests N         or make so many requests in total (1)
//!   --body FILE          POST its content
//!   --answer-bytes N     an answer of another length is an error
//!   --output FILE        write the content of the last answer
//!   --idle               one request per connection; say READY; keep the connections until standard
//!                        input ends
//! ```
//!
//! Prints one line, `BENCH` and JSON, with the fields that bench/wrk/report.lua has. One thread: the
//! clock starts when all connections are established, and stops when the last answer is there.
//!
//! It is built on quiche, which Ferrite links anyway, because a generator has to be cheaper than
//! what it drives. That another implementation is served as well is for tests to show, not for this.

mod client;
mod drive;
mod options;
mod report;
mod udp;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let done = Options::parse(std::env::args().skip(1)).and_then(|options| {
        let run = drive::drive(&options)?;
        report::print(&run);
        match &options.output {
            Some(file) => {
                std::fs::write(file, &run.tally.content).map_err(|e| format!("{file}: {e}"))
            }
            None => Ok(()),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("h3load: {reason}");
            ExitCode::FAILURE
        }
    }
}
