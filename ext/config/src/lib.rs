//! The configuration of a server, and the parts of the extension that need no PHP: plain Rust, tested by
//! `cargo test`.
//!
//! [`options`] turns the array that `set()` gets into types, [`events`] are what `on()` knows,
//! [`bind`] makes sockets of hosts and ports, [`process`] is what processes do to themselves because of
//! options, [`coding`] knows content codings, [`script`] which PHP
//! file runs for a path, [`activation`] takes sockets that systemd has bound, [`opcache`] parts a process
//! from opcache's memory. The rest writes: [`banner`], [`logger`], [`log_limit`], [`one_line`], [`stats_file`], [`uploads`].

pub mod activation;
pub mod admin;
pub mod banner;
pub mod bind;
pub mod coding;
pub mod events;
pub mod log_limit;
pub mod logger;
pub mod one_line;
pub mod opcache;
pub mod options;
pub mod process;
pub mod script;
pub mod stats_file;
pub mod uploads;
