//! Ferrite's reactor.
pub mod protocol;
