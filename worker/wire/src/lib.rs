//! The vocabulary that Ferrite's processes share, and its encoding on a Unix socket.
//!
//! A request and a response are the same stream of [`Part`]s, in every protocol and in every
//! process. The reactor sends `Part<Box<RequestHead>>` to a worker and gets `Part<ResponseHead>` back,
//! each behind the [`Address`] it is about: its exchange, as a rule. This crate is pure: no socket, no clock, no
//! process; file descriptors are only carried.

#![forbid(unsafe_code)]

pub mod alphabet;
pub mod budget;
pub mod claim;
pub mod codec;
pub mod control;
pub mod error;
pub mod event;
pub mod exchange;
pub mod fields;
pub mod head;
pub mod hex;
pub mod ids;
pub mod limits;
pub mod log_limit;
pub mod metrics;
pub mod part;
pub mod pool;
pub mod shm;
pub mod tls;

pub use budget::{Budget, DescriptorBudget, Holder, Permit, Share};
pub use claim::{ClaimSecret, ClaimToken, Claimed};
pub use codec::{Address, ConnectionId, Decoder, Encoder, PoolId, ToReactor, ToWorker};
pub use error::CodecError;
pub use exchange::ExchangeId;
pub use fields::{Fields, FieldsBuilder};
pub use head::{BodyLength, RequestHead, ResponseHead, Scheme, Version};
pub use ids::{RequestId, RequestIds};
pub use part::{FileSlice, OpenFile, Part, Reason};
pub use pool::{Pool, PoolKind, Pools};
pub use tls::TlsInfo;
