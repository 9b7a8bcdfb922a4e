//! The rules, by topic.

pub mod arrows;
pub mod modules;
pub mod size;
pub mod states;
pub mod types;
pub mod unsafety;
pub mod words;
