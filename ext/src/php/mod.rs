//! The classes that PHP sees, each in a module whose `methods` are those of its stub.

pub mod cookie;
pub mod error;
pub mod functions;
pub mod port;
pub mod request;
pub mod response;
pub mod server;
pub mod web;
