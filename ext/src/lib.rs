//! Ferrite, the PHP extension: `Ferrite\Http\Server` and what belongs to it.
//!
//! This crate is where PHP, the process model (`worker`) and the reactor meet; each of the two knows
//! nothing of the other, and nothing of PHP.

pub mod application;
pub mod callbacks;
pub mod compression;
pub mod engine;
pub mod module;
pub mod php;
pub mod request_cycle;
pub mod settings;
pub mod signatures;
pub mod stats;
pub mod swoole;
pub mod web;

/// What PHP looks for in the library.
mod entry {
    use ext_php_rs::prelude::*;

    use crate::module::{describe, startup};

    /// Describes the module to PHP.
    #[php_module]
    #[php(startup = "startup")]
    pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
        describe(module)
    }
}
