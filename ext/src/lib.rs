//! Ferrite, the PHP extension: `Ferrite\Http\Server` and what belongs to it.
//!
//! This crate is where PHP, the process model (`worker`) and the reactor meet; each of the two knows
//! nothing of the other, and nothing of PHP.

// The macro below makes a second function, without docs.
#![allow(missing_docs)]

pub mod application;
pub mod banner;
pub mod bind;
pub mod call;
pub mod callbacks;
pub mod cookie;
pub mod declare;
pub mod engine;
pub mod error;
pub mod events;
pub mod logger;
pub mod module;
pub mod options;
pub mod port;
pub mod process;
pub mod request;
pub mod request_cycle;
pub mod response;
pub mod server;
pub mod settings;
pub mod stats;
pub mod zend;

use ext_php_rs::prelude::*;

use module::startup;

/// Describes the module to PHP.
#[php_module]
#[php(startup = "startup")]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    module::describe(module)
}
