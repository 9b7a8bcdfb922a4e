<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Http;

/**
 * An HTTP server: one supervisor (the script that calls {@see start()}), one reactor process that
 * owns all sockets, and `worker_num` worker processes that run the callbacks.
 *
 *     $server = new Ferrite\Http\Server('127.0.0.1', 9501);
 *     $server->on('Request', function (Ferrite\Http\Request $request, Ferrite\Http\Response $response) {
 *         $response->end('Hello');
 *     });
 *     $server->start();
 *
 * Signals of the supervisor: SIGTERM, SIGINT and SIGQUIT stop the server (a second one at once),
 * SIGUSR1 replaces the workers, SIGHUP does so and opens `log_file` anew. A server can be neither cloned nor serialized.
 */
class Server
{
    /**
     * What was set; from {@see start()} on also `worker_num`, `reactor_num` and `max_connection` as
     * they were decided.
     *
     * @var array<string, mixed>
     */
    public readonly array $setting;
    /** Address of the first port, or the path of its Unix socket, as it was given. */
    public readonly string $host;
    /** Number of the first port: the real one when 0 was asked for; 0 on a Unix socket. */
    public readonly int $port;
    /** Socket type of the first port: a `Ferrite\SOCK_` constant. */
    public readonly int $type;
    /** Whether clients of the first port speak TLS. */
    public readonly bool $ssl;
    /** Server mode, as it was given. */
    public readonly int $mode;
    /**
     * The ports, the constructor's first.
     *
     * @var list<\Ferrite\Server\Port>
     */
    public readonly array $ports;
    /** Process id of the supervisor; 0 before {@see start()}. */
    public readonly int $master_pid;
    /** The same as {@see $master_pid}: the supervisor is also what Swoole calls the manager. */
    public readonly int $manager_pid;
    /** Id of this worker, 0 to `worker_num` - 1; -1 in every other process. */
    public readonly int $worker_id;
    /** Process id of this worker; 0 in every other process. */
    public readonly int $worker_pid;
    /** Whether this is a task worker. There are none yet: false. */
    public readonly bool $taskworker;

    /**
     * Binds the first port at once: clients can connect from now on, and are served from
     * {@see start()} on. The file of a Unix socket on which nobody answers is replaced.
     *
     * @param string $host an address, `localhost`, or for SOCK_UNIX_STREAM a path of at most 107
     *     bytes; `SYSTEMD` or `SYSTEMD:NAME` takes a socket that a service manager has bound
     *     (sd_listen_fds(3)), whose port and kind count then
     * @param int $port 0 to 65535; 0 takes a free one, see {@see $port}
     * @param int $mode PROCESS or BASE
     * @param int $sock_type SOCK_TCP, SOCK_TCP6 or SOCK_UNIX_STREAM
     * @throws \Ferrite\Exception when it cannot be bound: what is wrong, and where
     */
    public function __construct(
        string $host = '0.0.0.0',
        int $port = 0,
        int $mode = \Ferrite\PROCESS,
        int $sock_type = \Ferrite\SOCK_TCP,
    ) {}

    /**
     * Binds a further port, which may have its own options and its own callbacks. What it does
     * not have, it takes from the server. A server has at most 64 ports.
     *
     * @param string $host as for the constructor
     * @param int $port as for the constructor
     * @param int $sock_type as for the constructor
     * @throws \Ferrite\Exception when it cannot be bound, or after the start
     */
    public function listen(string $host, int $port, int $sock_type): \Ferrite\Server\Port {}

    /**
     * The same as {@see listen()}.
     *
     * @throws \Ferrite\Exception when it cannot be bound, or after the start
     * @implementation-alias listen
     */
    public function addListener(string $host, int $port, int $sock_type): \Ferrite\Server\Port {}

    /**
     * Sets options of the server and of all its ports. All or nothing; later calls add to former
     * ones.
     *
     * @param array<string, mixed> $settings see docs/options.md
     * @return bool true
     * @throws \ValueError for an unknown option (the message names the nearest known one) or a
     *     value out of range
     * @throws \TypeError for a value of a wrong type
     * @throws \Ferrite\Exception after the start
     */
    public function set(array $settings): bool {}

    /**
     * Sets the callback for an event, in the place of a former one.
     *
     * In the supervisor:
     * - `Start (Server $server)`: all processes are up. When it throws, the server ends.
     * - `WorkerError (Server $server, int $workerId, int $pid, int $exitCode, int $signal, string $reason)`:
     *   a worker ended that should not have; it is replaced. The reason is `exit`, `signal`,
     *   `start_failed`, `start_timeout`, `stop_timeout`, `link_lost` or `request_timeout`.
     * - `Shutdown (Server $server)`: all other processes have ended.
     *
     * In a worker:
     * - `WorkerStart (Server $server, int $workerId)`: before its first request. When it throws, or
     *   does not return within `worker_start_timeout`, the worker is started again; five times in a
     *   row end the server.
     * - `WorkerStop (Server $server, int $workerId)`: the last thing before an orderly end.
     * - `Request (Request $request, Response $response)`: required, here or on every port.
     * - `Connect (Server $server, int $fd, int $reactorId)`: a client has connected.
     * - `Close (Server $server, int $fd, int $reactorId)`: a connection was closed, by either side.
     *
     * What a callback prints goes to standard output, never to a client.
     *
     * @param string $event_name in any case
     * @return bool true
     * @throws \ValueError for an event that does not exist, or not yet
     * @throws \TypeError for a callback that cannot be called
     * @throws \Ferrite\Exception after the start
     */
    public function on(string $event_name, callable $callback): bool {}

    /**
     * The callback for an event, as it was given; null when there is none.
     *
     * @throws \ValueError for an event that does not exist, or not yet
     */
    public function getCallback(string $event_name): object|array|string|null {}

    /**
     * Makes this process the supervisor: starts the reactor and the workers, and returns when the
     * server has stopped. Workers never return from it: of the script, they run the callbacks only.
     *
     * @return bool true, after an orderly stop
     * @throws \Ferrite\Exception when it cannot start (no callback for `Request`, a user that does
     *     not exist, a log file that cannot be opened …), when workers or the reactor do not come up
     *     five times in a row, when `Start` fails, or when it was started before
     */
    public function start(): bool {}

    /**
     * Stops the server, from a callback in any of its processes: no new connection, requests in
     * flight may take up to `max_wait_time`.
     *
     * @return bool whether the supervisor could be asked
     * @throws \Ferrite\Exception when the server does not run
     */
    public function shutdown(): bool {}

    /**
     * Replaces all workers, one after another; no request fails. Code that workers load in
     * `WorkerStart` is loaded anew, what the script had loaded before {@see start()} is not.
     *
     * @param bool $only_reload_taskworker true does nothing: there are no task workers yet
     * @return bool whether the supervisor could be asked
     * @throws \Ferrite\Exception when the server does not run
     */
    public function reload(bool $only_reload_taskworker = false): bool {}

    /**
     * Has certificates and keys read again, as a reload does and as happens by itself within seconds
     * when their files change. Those that cannot be used are refused with a line in the log, and the
     * old ones stay. Connections are not touched.
     *
     * @return bool whether the reactor could be told
     * @throws \Ferrite\Exception when the server does not run
     */
    public function reloadTls(): bool {}

    /**
     * Replaces one worker, after the request in work.
     *
     * @param int $workerId -1: the worker that calls
     * @return bool whether the worker could be asked
     * @throws \ValueError when there is no such worker, or -1 is given elsewhere than in a worker
     * @throws \Ferrite\Exception when the server does not run
     */
    public function stop(int $workerId = -1): bool {}

    /**
     * Ends a client's connection, whichever worker answers its requests: what has been answered with
     * `end()` is still sent, a response that is being made breaks off, and requests that wait are dropped.
     * A connection that has not ended after five seconds is cut off.
     *
     * Callable in a worker. The connection's owner, a thread of the reactor, is told, and does not answer:
     * true does not say that the connection was still open.
     *
     * @param int $fd the connection: {@see \Ferrite\Http\Request::$fd}, or what `Connect` was told
     * @return bool false when no connection can have had this number, when this process is no worker, or
     *   when a worker has not come as far as its first request; otherwise true
     * @throws \Ferrite\Exception when the server does not run
     */
    public function close(int $fd): bool {}

    /**
     * What is known of a client's connection: of that of the request in work, and of the one that `Connect` or
     * `Close` is told of. Of others nothing is known in a worker: connections belong to the reactor.
     *
     * `server_port`, `socket_type` (a `SOCK_` constant, with {@see \Ferrite\SSL}), `remote_ip` (`unix:` on a Unix
     * socket), `remote_port`, `reactor_id`; of a request `last_time`, `last_recv_time` and `last_dispatch_time`: when its head
     * was complete, in seconds; `ssl_client_cert` (PEM) of a client that has shown one. Behind a proxy that
     * `trusted_proxies` names, address and ports are the client's.
     *
     * @param int $fd the connection: {@see \Ferrite\Http\Request::$fd}, or what `Connect` was told
     * @param int $reactorId without effect
     * @param bool $ignoreError without effect
     * @return array<string, int|float|string>|false false of any other connection
     * @throws \Ferrite\Exception when the server does not run
     */
    public function getClientInfo(int $fd, int $reactorId = -1, bool $ignoreError = false): array|false {}

    /**
     * The other name of {@see getClientInfo()}.
     *
     * @implementation-alias getClientInfo
     */
    public function connection_info(int $fd, int $reactorId = -1, bool $ignoreError = false): array|false {}

    /**
     * Figures of the server since its start, the same in every process:
     *
     * - `start_time` (Unix time), `worker_num`, `reactor_num`, `idle_worker_num`
     * - connections: `connection_num` (open now), `accept_count`, `close_count`, `abort_count`
     *   (closed because of an error or a deadline)
     * - requests: `request_count`, `dispatch_count` (handed to a worker), `response_count` (sent to
     *   the end), `concurrency` (in flight now), `queue_len` (waiting now)
     * - `shed_count` (503: the queue was too long or too old), `lost_count` (502: the worker died),
     *   `refused_count` (bad requests), `stray_count` (answers that came too late)
     * - `given_up_count` (the client left before the answer, or while the request waited),
     *   `flood_count` (connections that made work and served nobody; by version and kind
     *   `h2_reset_flood_count` and so on), `stall_count` (answers that a
     *   client did not take), `file_refused_count` (503: too many files of answers were open)
     * - `response_spool_memory_bytes`, `response_spool_disk_bytes` (kept now for clients that have not
     *   taken their answers)
     * - `body_spool_file_num`, `body_spool_bytes` (request bodies in files now),
     *   `body_spool_refused_count` (503: there was no room for one)
     * - `detached_num` (detached responses that nobody has taken over yet), `unanswered_count` (504: nobody
     *   did in time)
     * - `address_refused_count` (connections beyond a limit per address)
     * - `access_log_lost_count` (lines of the access log that could not be written)
     * - `span_export_count`, `span_lost_count` (spans that a collector of OpenTelemetry has taken, and those that were
     *   dropped), `otlp_failure_count` (requests to it that failed)
     * - `total_recv_bytes`, `total_send_bytes`
     * - `worker_restart_count`, `reactor_restart_count` (after they died)
     * - bounds of these as `connection_max`, `queue_len_max` and so on; docs/metrics.md lists every key
     * - in a worker: `worker_request_count`, `worker_response_count` of this worker id
     *
     * @return array<string, int>
     * @throws \Ferrite\Exception when the server does not run
     */
    public function stats(): array {}

    /** Id of this worker; false in every other process. */
    public function getWorkerId(): int|false {}

    /**
     * Process id of a worker; false when there is none.
     *
     * @param int $id -1: the worker that calls
     */
    public function getWorkerPid(int $id = -1): int|false {}

    /** Process id of the supervisor; 0 before {@see start()}. */
    public function getMasterPid(): int {}

    /**
     * The same as {@see getMasterPid()}.
     *
     * @implementation-alias getMasterPid
     */
    public function getManagerPid(): int {}
}
