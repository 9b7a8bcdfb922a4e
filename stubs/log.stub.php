<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite;

/**
 * Writes a line to the log of the server: where `log_file` says, as `log_format` says, and not below
 * `log_level`. Within a request that has an id the line has it too. It works in every process of a server, and in a
 * script without one, where the line goes to standard error.
 *
 * The context is JSON behind the message, or the field `context`: scalars, and arrays of them, 8 within each other. An exception
 * is shown with its message and place, any other object by its class. A message and a context have 8 KiB at most; what is
 * beyond is cut, and `…` says so.
 *
 * @param string $level as PSR-3 has it: `emergency`, `alert`, `critical`, `error`, `warning`, `notice`, `info` or
 *     `debug`
 * @param string $message one line: control characters in it are escaped
 * @param array<mixed> $context what belongs to it
 * @throws \ValueError on another level
 */
function log(string $level, string $message, array $context = []): void {}
