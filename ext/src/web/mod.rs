//! What makes a worker a web SAPI, so that applications written for php-fpm run in it.
//!
//! ```text
//!  settle (once)      the table of the SAPI's functions, PHP_SAPI, functions and settings of a web server
//!  classic (request)  php_request_startup ─▶ php_execute_script ─▶ php_request_shutdown
//!  callback (request) sapi_activate, superglobals ─▶ the callback ─▶ sapi_deactivate; the script stays
//!  pull               the same, asked for by a script that runs in the worker
//!        └── exchange: what the SAPI's functions read from, and the response that they write to
//! ```
//!
//! What PHP prints stays in Rust until 64 KiB are there, or the script flushes: no PHP code is called on
//! its way. Nothing of this is reached by a worker that answers with objects.

pub mod callback;
pub mod classic;
pub mod exchange;
pub mod functions;
pub mod head;
pub mod hooks;
pub mod input;
pub mod opcache;
pub mod outcome;
pub mod pull;
pub mod regex;
pub mod response;
pub mod sapi;
pub mod scripts;
pub mod settings;
pub mod superglobals;
pub mod uploads;
pub mod variables;
pub mod zend;
