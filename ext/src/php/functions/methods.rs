//! `ferrite_handle_request()`.

use crate::engine::call::Callback;
use crate::engine::zend::method::{Call, Returned};
use crate::php::error::Failure;
use crate::signatures::functions as given;
use crate::web::pull;

/// `ferrite_handle_request()`
pub fn ferrite_handle_request(
    _call: &Call<'_>,
    given: given::FerriteHandleRequest<'_>,
) -> Result<Returned, Failure> {
    let callback = Callback::of_argument(1, given.callback)?;
    pull::next_request(callback).map(Returned::Bool)
}
