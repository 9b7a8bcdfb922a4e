//! A worker's runtime: its links, and one request after another.

pub(crate) mod assembly;
pub mod body;
pub mod claims;
pub(crate) mod link;
pub mod links;
pub mod reply;
pub(crate) mod serve;
pub(crate) mod work;
