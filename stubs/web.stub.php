<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Http;

/**
 * A callback for `Request` that sees a request as a script under php-fpm does: superglobals, `header()`,
 * `echo`, sessions, `exit`. See docs/applications.md.
 */
class Web
{
    /** What is called for each request. */
    public readonly mixed $callback;

    /**
     * @param callable $callback called for each request, without arguments; what it prints is the response
     */
    public function __construct(callable $callback) {}

    /**
     * The server calls what was given to the constructor.
     *
     * @throws \Ferrite\Exception when somebody else calls it
     */
    public function __invoke(): bool {}
}
