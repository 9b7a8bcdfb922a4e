//! `php://input` of content that lies in a file: read there, without a copy.

use std::ffi::CStr;

use ext_php_rs::ffi::php_stream;

use super::{exchange, zend};
use crate::engine::zend::globals;
use crate::engine::zend::stream;
use crate::engine::zend::value::entries;
use crate::php::request::body::Body;

/// Opens `php://input` over the file that the content lies in. `false` when it lies in none, a parser of
/// PHP's reads it, or it is larger than PHP takes.
pub fn open_body() -> bool {
    let opened = exchange::with(|exchange| match &exchange.body {
        Body::File(_) | Body::Pieces(_) => {
            Some((exchange.body.source().ok()?, exchange.body.len()?))
        }
        _ => None,
    });
    let Some((content, len)) = opened.flatten() else { return false };
    // SAFETY: globals of the only thread; the engine is between two steps of a request's beginning.
    unsafe {
        let sapi = globals::sapi();
        let (len, max) = (len as i64, (*sapi).post_max_size);
        let in_use = !(*sapi).request_info.post_entry.is_null()
            || !(*sapi).request_info.request_body.is_null();
        if in_use || max > 0 && len > max {
            return false;
        }
        let stream = stream::open_unowned(Box::new(content));
        if stream.is_null() {
            return false;
        }
        (*sapi).request_info.request_body = stream;
        (*sapi).read_post_bytes = len;
        (*sapi).post_read = 1;
    }
    true
}

/// Closes the content of the request in work, and what reads it: the end of a script would, and there is
/// none. Streams that have been kept are closed ones then.
pub fn close_body() {
    // SAFETY: the engine's table of resources, whose values point to them; it is not changed while it is
    // walked through. A stream has the type that is asked for.
    unsafe {
        let info = &raw mut (*globals::sapi()).request_info;
        let body = std::ptr::replace(&raw mut (*info).request_body, std::ptr::null_mut());
        let Some(body) = body.as_ref() else { return };
        let kind = zend::php_file_le_stream();
        let reads = |resource: *mut ext_php_rs::ffi::zend_resource| {
            let stream = (*resource).ptr.cast::<php_stream>();
            (*resource).type_ == kind
                && stream.as_ref().is_some_and(|stream| {
                    stream.ops.as_ref().is_some_and(|ops| {
                        !ops.label.is_null() && CStr::from_ptr(ops.label) == c"Input"
                    })
                })
        };
        let open = entries(&(*globals::executor()).regular_list);
        let readers: Vec<_> =
            open.map(|(_, value)| value.value.res).filter(|r| reads(*r)).collect();
        readers.into_iter().for_each(|reader| zend::zend_list_close(reader));
        // No script has it, so that the table's reference is the only one: it would grow with each request.
        let resource = body.res;
        zend::zend_list_close(resource);
        zend::zend_list_delete(resource);
    }
}
