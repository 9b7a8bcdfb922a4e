//! Methods of Swoole's that are not there: a call of one says what to do instead.

use ext_php_rs::ffi::{
    ZEND_USER_FUNCTION, ext_php_rs_executor_globals, std_object_handlers, zend_function,
    zend_object, zend_string, zend_throw_error, zval,
};

use crate::engine::zend::has_exception;
use crate::engine::zend::string::bytes;

/// Class, method, what to do.
type Row = (&'static str, &'static str, &'static str);

const SERVER: &str = "Ferrite\\Http\\Server";
const REQUEST: &str = "Ferrite\\Http\\Request";
const RESPONSE: &str = "Ferrite\\Http\\Response";

const ANSWER: &str = "clients are answered by their Response";
const TASKS: &str = "answer with end() and work on: the client has its answer";
const CONNECTIONS: &str =
    "connections belong to the reactor; $request->server has addresses, ports and times";
const READS: &str = "a worker that does not read its request holds nothing up";
const COMMANDS: &str = "have processes beside the server started by a service manager";
const WEBSOCKET: &str = "there is no WebSocket; put a server for it behind the same proxy";

const ROWS: &[Row] = &[
    (SERVER, "getWorkerStatus", "stats() counts idle workers"),
    (SERVER, "send", ANSWER),
    (SERVER, "sendto", "there are no datagram sockets; use PHP's stream_socket_sendto()"),
    (SERVER, "sendfile", "use $response->sendfile()"),
    (SERVER, "sendwait", "use $response->write(), which waits when a client is far behind"),
    (SERVER, "exists", "use $response->isWritable()"),
    (SERVER, "exist", "use $response->isWritable()"),
    (SERVER, "pause", READS),
    (SERVER, "resume", READS),
    (SERVER, "confirm", READS),
    (SERVER, "protect", "set keepalive_timeout, which ends idle connections only"),
    (SERVER, "bind", CONNECTIONS),
    (SERVER, "heartbeat", "set keepalive_timeout"),
    (SERVER, "getClientList", CONNECTIONS),
    (SERVER, "connection_list", CONNECTIONS),
    (SERVER, "getSocket", "the sockets belong to the reactor"),
    (SERVER, "getLastError", "what goes wrong is an exception, or a line in the log"),
    (SERVER, "sendMessage", "let workers share a file, a database or APCu"),
    (SERVER, "task", TASKS),
    (SERVER, "taskwait", TASKS),
    (SERVER, "taskWaitMulti", TASKS),
    (SERVER, "taskCo", TASKS),
    (SERVER, "finish", TASKS),
    (SERVER, "addProcess", COMMANDS),
    (SERVER, "addCommand", COMMANDS),
    (SERVER, "command", "stats() has the figures"),
    (REQUEST, "create", "requests are made by the server only"),
    (REQUEST, "parse", "requests are parsed by the reactor"),
    (
        RESPONSE,
        "close",
        "return without end() after write() to break a response off, or use $server->close()",
    ),
    (RESPONSE, "upgrade", WEBSOCKET),
    (RESPONSE, "push", WEBSOCKET),
    (RESPONSE, "recv", WEBSOCKET),
    (RESPONSE, "ping", WEBSOCKET),
    (RESPONSE, "goaway", "use $server->close()"),
    (RESPONSE, "disconnect", "use $server->close()"),
];

/// As the standard handler. Where code calls a method that only Swoole has, it throws an error that tells
/// what to do; `method_exists()` and `is_callable()` are not calls, and say no.
///
/// # Safety
///
/// The engine calls it with a live object and the name of a method.
pub unsafe extern "C" fn get_method(
    object: *mut *mut zend_object,
    method: *mut zend_string,
    key: *const zval,
) -> *mut zend_function {
    // SAFETY: the caller's promise; the standard handlers are constant data of the engine.
    unsafe {
        let Some(standard) = std_object_handlers.get_method else { return std::ptr::null_mut() };
        let class = (**object).ce;
        let found = standard(object, method, key);
        if found.is_null() && !has_exception() && is_called() {
            let advice = std::iter::successors(class.as_ref(), |class| class.parent())
                .filter_map(|class| advice_for(class.name()?, bytes(method)))
                .next();
            if let Some((class, method, advice)) = advice {
                let message = format!("Call to undefined method {class}::{method}(): {advice}\0");
                zend_throw_error(std::ptr::null_mut(), c"%s".as_ptr(), message.as_ptr());
            }
        }
        found
    }
}

fn advice_for(class: &str, method: &[u8]) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.0 == class && row.1.as_bytes().eq_ignore_ascii_case(method))
}

/// Whether the engine asks because PHP code calls a method, `$object->method()`.
fn is_called() -> bool {
    /// `ZEND_INIT_METHOD_CALL`
    const INIT_METHOD_CALL: u8 = 112;
    // SAFETY: frames of PHP code have their function and the instruction that runs.
    unsafe {
        let frame = (*ext_php_rs_executor_globals()).current_execute_data;
        let Some(frame) = frame.as_ref() else { return false };
        let Some(function) = frame.func.as_ref() else { return false };
        u32::from(function.type_) == ZEND_USER_FUNCTION
            && frame.opline.as_ref().is_some_and(|opline| opline.opcode == INIT_METHOD_CALL)
    }
}
