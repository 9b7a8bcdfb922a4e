//! Ferrite, the PHP extension: `Ferrite\Http\Server` and what belongs to it.
//!
//! This crate is where PHP, the process model (`worker`) and the reactor meet; each of the two knows
//! nothing of the other, and nothing of PHP.

pub mod call;
pub mod error;
pub mod module;
pub mod port;
pub mod request_cycle;
pub mod zend;

use ext_php_rs::prelude::*;

/// Describes the module to PHP.
#[php_module]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    module::describe(module)
}
