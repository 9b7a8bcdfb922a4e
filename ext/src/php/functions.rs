//! The functions that belong to no class.

mod context;
pub mod methods;
