<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

/**
 * Waits for a request and calls the callback for it, in a script that the option `worker_script` names:
 * `while (ferrite_handle_request($callback));`. The callback sees the request as a script under php-fpm
 * does, and what it prints is the response, which has been sent when this returns. See
 * docs/applications.md.
 *
 * @param callable $callback called without arguments
 * @return bool `false` when there are no more requests, because the worker is to end: the script may clean
 *     up, and ends within `max_wait_time`
 * @throws Ferrite\Exception elsewhere than in such a script, and within the callback
 */
function ferrite_handle_request(callable $callback): bool {}
