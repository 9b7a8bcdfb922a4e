//! Runs the unit tests of the modules that know nothing of PHP. The library itself links into PHP
//! only: half of its symbols are PHP's.

#![allow(dead_code, missing_docs)]

#[path = "../src/banner.rs"]
mod banner;
#[path = "../src/bind.rs"]
mod bind;
#[path = "../src/events.rs"]
mod events;
#[path = "../src/logger/mod.rs"]
mod logger;
#[path = "../src/options/mod.rs"]
mod options;
#[path = "../src/stats_file.rs"]
mod stats_file;
