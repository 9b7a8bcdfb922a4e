//! The functions that belong to no class.

pub mod methods;
