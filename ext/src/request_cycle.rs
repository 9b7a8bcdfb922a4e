//! One request, from the objects that the handler gets to the answer that the client gets.

use worker::{Reply, Request, Verdict};

use crate::call::Callback;
use crate::port::PortContext;

/// Calls the handler, and makes sure that the client gets an answer.
pub fn handle(callback: &Callback, port: &PortContext, request: Request, reply: Reply) -> Verdict {
    let _ = (callback, port, request, reply);
    Verdict::Continue
}
