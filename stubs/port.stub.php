<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Server;

/**
 * A port that a server listens on. Made by the server: see {@see \Ferrite\Http\Server::listen()}
 * and {@see \Ferrite\Http\Server::$ports}.
 */
class Port
{
    /** Address, or the path of a Unix socket, as it was given. */
    public readonly string $host;
    /** Port number: the real one when 0 was asked for; 0 on a Unix socket. */
    public readonly int $port;
    /** Socket type: a `Ferrite\SOCK_` constant. */
    public readonly int $type;
    /** Whether clients speak TLS. */
    public readonly bool $ssl;
    /**
     * What was set for this port.
     *
     * @var array<string, mixed>
     */
    public readonly array $setting;

    /**
     * Sets options of this port; they take the place of what was set on the server. All or
     * nothing; later calls add to former ones.
     *
     * @param array<string, mixed> $settings see docs/options.md
     * @return bool true
     * @throws \ValueError for an unknown option, one of the server's, or a value out of range
     * @throws \TypeError for a value of a wrong type
     * @throws \Ferrite\Exception after the start of the server
     */
    public function set(array $settings): bool {}

    /**
     * Sets the callback of this port for an event, in the place of the server's: `Request`,
     * `Connect` or `Close`, with the arguments that {@see \Ferrite\Http\Server::on()} names.
     *
     * @param string $event_name in any case
     * @return bool true
     * @throws \ValueError for an event that a port does not have
     * @throws \TypeError for a callback that cannot be called
     * @throws \Ferrite\Exception after the start of the server
     */
    public function on(string $event_name, callable $callback): bool {}

    /**
     * The callback of this port for an event, as it was given; null when it has none of its own.
     *
     * @throws \ValueError for an event that a port does not have
     */
    public function getCallback(string $event_name): object|array|string|null {}
}
