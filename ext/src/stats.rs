//! The figures of `stats()`, from the counters in shared memory.

use ext_php_rs::types::Zval;
use wire::metrics;
use wire::shm::Shared;

use crate::engine::zend::value::{self, Array};

/// The figures of the server, and of this worker if the process is one, for PHP.
pub fn array(shared: Shared, worker: Option<u16>) -> Zval {
    let figures = metrics::stats(shared, worker);
    let mut array = Array::with_capacity(figures.len());
    for (key, number) in figures {
        array.set_symbol(key.as_bytes(), value::long(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    array.into_value()
}
