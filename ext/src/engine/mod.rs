//! What stands between this crate and PHP's engine: declarations, calls, and what is reset between requests.

pub mod buffers;
pub mod call;
pub mod client;
pub mod interpreter;
pub mod programs;
pub mod reset;
pub mod thrown;
pub mod zend;
