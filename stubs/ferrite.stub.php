<?php

/**
 * What the extension `ferrite` declares, for editors and static analysers. This file is never loaded.
 *
 * Times are seconds and sizes are bytes unless it says otherwise.
 */

namespace Ferrite {

    /** Version of the extension, as "major.minor.patch". */
    const VERSION = '0.1.0';
    /** Version of the extension as a number: 10000 × major + 100 × minor + patch. */
    const VERSION_ID = 100;

    /** Socket type: TCP over IPv4. */
    const SOCK_TCP = 1;
    /** Socket type: UDP over IPv4. Known by its number; servers refuse it. */
    const SOCK_UDP = 2;
    /** Socket type: TCP over IPv6; on the host `::` over IPv4 as well. */
    const SOCK_TCP6 = 3;
    /** Socket type: UDP over IPv6. Known by its number; servers refuse it. */
    const SOCK_UDP6 = 4;
    /** Socket type: a Unix stream socket; the host is its path. */
    const SOCK_UNIX_STREAM = 5;
    /** Socket type: a Unix datagram socket. Known by its number; servers refuse it. */
    const SOCK_UNIX_DGRAM = 6;
    /** Flag of a socket type: TLS. Not available in this build. */
    const SSL = 512;

    /** Server mode; the same as {@see PROCESS}: there is one process model. */
    const BASE = 1;
    /** Server mode: a supervisor, a reactor, and workers. */
    const PROCESS = 2;

    /** Log level: everything. */
    const LOG_DEBUG = 0;
    /** Log level: everything. */
    const LOG_TRACE = 1;
    /** Log level: what a server does, and all that follows. The default. */
    const LOG_INFO = 2;
    /** Log level: the same as {@see LOG_WARNING}. */
    const LOG_NOTICE = 3;
    /** Log level: what should not happen, and errors. */
    const LOG_WARNING = 4;
    /** Log level: errors only. */
    const LOG_ERROR = 5;
    /** Log level: nothing. */
    const LOG_NONE = 6;

    /**
     * A server or one of its objects is not in a state for what was asked of it, or the system has
     * refused it: an address in use, a method that comes too late, a length that does not fit.
     *
     * What is wrong with an argument by itself is a {@see \TypeError} or a {@see \ValueError}.
     */
    class Exception extends \RuntimeException
    {
    }
}

namespace Ferrite\Server {

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
}

namespace Ferrite\Http {

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
     * Signals of the supervisor: SIGTERM and SIGINT stop the server (a second one at once), SIGUSR1
     * replaces the workers. A server can be neither cloned nor serialized.
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
         *     bytes
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
         * - `WorkerError (Server $server, int $workerId, int $pid, int $exitCode, int $signal)`: a worker
         *   ended that should not have; it is replaced.
         * - `Shutdown (Server $server)`: all other processes have ended.
         *
         * In a worker:
         * - `WorkerStart (Server $server, int $workerId)`: before its first request. When it throws, the
         *   worker is started again; five times in a row end the server.
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
         * Replaces one worker, after the request in work.
         *
         * @param int $workerId -1: the worker that calls
         * @return bool whether the worker could be asked
         * @throws \ValueError when there is no such worker, or -1 is given elsewhere than in a worker
         * @throws \Ferrite\Exception when the server does not run
         */
        public function stop(int $workerId = -1): bool {}

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
         * - `total_recv_bytes`, `total_send_bytes`
         * - `worker_restart_count`, `reactor_restart_count` (after they died)
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

        /** The same as {@see getMasterPid()}. */
        public function getManagerPid(): int {}
    }

    /**
     * A request. Made by the server.
     *
     * The properties are built at their first use, and are ordinary arrays from then on; what is not
     * used costs nothing. They are null when there is nothing to show.
     */
    class Request
    {
        /**
         * Number of the connection, unique as long as the server runs.
         *
         * @var int
         */
        public $fd = 0;
        /**
         * Number of the stream in the connection; 0 in HTTP/1.
         *
         * @var int
         */
        public $streamId = 0;
        /**
         * Header fields: names in lower case. A field that was sent more than once is a list, unless it
         * is a single value by definition (`host`, `content-type`, …), of which the last one counts.
         *
         * @var array<string, string|list<string>>|null
         */
        public $header;
        /**
         * What is known of the request beside its fields, by keys in lower case: `request_method`,
         * `request_uri` (the path, as sent, without the query), `path_info` (the path, decoded),
         * `query_string` (only when there is one), `request_time`, `request_time_float`,
         * `request_scheme` (`http`), `server_protocol` (`HTTP/1.0`, `HTTP/1.1`), `server_port`,
         * `server_addr`, `remote_port`, `remote_addr` (`unix:` on a Unix socket), `master_time`.
         *
         * @var array<string, string|int|float>|null
         */
        public $server;
        /**
         * Cookies, unless `http_parse_cookie` is off.
         *
         * @var array<string, mixed>|null
         */
        public $cookie;
        /**
         * The query string, parsed by PHP's rules.
         *
         * @var array<string, mixed>|null
         */
        public $get;
        /**
         * Uploaded files of a multipart form, as in `$_FILES`, unless `http_parse_files` is off. They are
         * removed when the handler has ended.
         *
         * @var array<string, mixed>|null
         */
        public $files;
        /**
         * Fields of a form, parsed by PHP's rules, unless `http_parse_post` is off.
         *
         * @var array<string, mixed>|null
         */
        public $post;
        /**
         * Paths of the uploaded files.
         *
         * @var list<string>|null
         */
        public $tmpfiles;
        /**
         * Trailer fields, as {@see $header}.
         *
         * @var array<string, string|list<string>>|null
         */
        public $trailer;

        /**
         * The body; an empty string when there is none.
         *
         * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
         */
        public function rawContent(): string|false {}

        /**
         * The same as {@see rawContent()}.
         *
         * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
         */
        public function getContent(): string|false {}

        /**
         * Head and body as HTTP/1.1 would have them. Made from what was understood: names are in lower
         * case, and nothing is chunked.
         *
         * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
         */
        public function getData(): string|false {}

        /** The method, as it was sent. */
        public function getMethod(): string|false {}

        /** Whether the request is complete: handlers get no others, so true. */
        public function isCompleted(): bool {}
    }

    /**
     * The response to a request. Made by the server.
     *
     * Methods return false when it is too late: the response has been ended, or the client is gone.
     * A handler that returns or throws without {@see end()}: the client gets a 500 when nothing was sent
     * before, and sees a broken response otherwise.
     */
    class Response
    {
        /**
         * Number of the connection; see {@see Request::$fd}.
         *
         * @var int
         */
        public $fd = 0;
        /**
         * The header fields that were set, by name; null when there are none.
         *
         * @var array<string, string|list<string>>|null
         */
        public $header;
        /**
         * The lines of Set-Cookie that were set; null when there are none.
         *
         * @var list<string>|null
         */
        public $cookie;
        /**
         * The trailer fields that were set, by name; null when there are none.
         *
         * @var array<string, string|list<string>>|null
         */
        public $trailer;

        /** The status that was set, or 200. */
        public function getStatusCode(): int {}

        /**
         * Sets the status.
         *
         * @param int $http_code 200 to 599
         * @param string $reason a reason phrase in the place of the registered one; only HTTP/1 sends it
         * @throws \ValueError for a code out of range, or control characters in the reason
         */
        public function status(int $http_code, string $reason = ''): bool {}

        /**
         * The same as {@see status()}.
         *
         * @throws \ValueError for a code out of range, or control characters in the reason
         */
        public function setStatusCode(int $http_code, string $reason = ''): bool {}

        /**
         * Sets a header field, in the place of what it was before.
         *
         * @param string $key the name, in any case
         * @param string|array|null $value one value, a list of values for as many lines, or null to remove
         * @param bool $format without effect: names are sent as the version of HTTP has them
         * @throws \ValueError for a name that is none, or CR, LF, NUL or other control characters in the
         *     value
         */
        public function header(string $key, string|array|null $value, bool $format = true): bool {}

        /**
         * The same as {@see header()}.
         *
         * @throws \ValueError for a name that is none, or control characters in the value
         */
        public function setHeader(string $key, string|array|null $value, bool $format = true): bool {}

        /**
         * Sets a cookie; the value is percent-encoded.
         *
         * @param string $name without the characters that PHP's setcookie() refuses
         * @param string $value an empty one deletes the cookie
         * @param int $expires Unix time; 0: the end of the session
         * @param string $path for which paths it is
         * @param string $domain for which hosts it is; '': this one
         * @param bool $secure over TLS only
         * @param bool $httponly not for scripts
         * @param string $samesite `Strict`, `Lax`, `None` or ''
         * @param string $priority `Low`, `Medium`, `High` or ''
         * @param bool $partitioned one jar for each top-level site
         * @throws \ValueError for what cannot be in a cookie
         */
        public function cookie(
            string $name,
            string $value = '',
            int $expires = 0,
            string $path = '/',
            string $domain = '',
            bool $secure = false,
            bool $httponly = false,
            string $samesite = '',
            string $priority = '',
            bool $partitioned = false,
        ): bool {}

        /**
         * The same as {@see cookie()}.
         *
         * @throws \ValueError for what cannot be in a cookie
         */
        public function setCookie(
            string $name,
            string $value = '',
            int $expires = 0,
            string $path = '/',
            string $domain = '',
            bool $secure = false,
            bool $httponly = false,
            string $samesite = '',
            string $priority = '',
            bool $partitioned = false,
        ): bool {}

        /**
         * Sets a cookie whose value goes out as it is; otherwise as {@see cookie()}.
         *
         * @throws \ValueError for what cannot be in a cookie
         */
        public function rawcookie(
            string $name,
            string $value = '',
            int $expires = 0,
            string $path = '/',
            string $domain = '',
            bool $secure = false,
            bool $httponly = false,
            string $samesite = '',
            string $priority = '',
            bool $partitioned = false,
        ): bool {}

        /**
         * The same as {@see rawcookie()}.
         *
         * @throws \ValueError for what cannot be in a cookie
         */
        public function setRawCookie(
            string $name,
            string $value = '',
            int $expires = 0,
            string $path = '/',
            string $domain = '',
            bool $secure = false,
            bool $httponly = false,
            string $samesite = '',
            string $priority = '',
            bool $partitioned = false,
        ): bool {}

        /** Forgets all header fields, cookies and trailers that were set. */
        public function initHeader(): bool {}

        /**
         * Sets a trailer field, which is sent behind the body where the version of HTTP and the way the
         * body is sent allow it.
         *
         * @throws \ValueError for a name or value that cannot be in a trailer
         */
        public function trailer(string $key, string $value): bool {}

        /** Whether it can still be written to: it is not ended, and the client is there. */
        public function isWritable(): bool {}

        /**
         * Sends a piece of the body; the head goes out with the first one. Waits while the client is
         * `socket_buffer_size` bytes behind. An empty piece is a warning, and false.
         *
         * @throws \Ferrite\Exception when it goes beyond the Content-Length that was set
         */
        public function write(string $content): bool {}

        /**
         * Ends the response, with a last piece of the body or the whole of it.
         *
         * @throws \Ferrite\Exception when the body has not the Content-Length that was set
         */
        public function end(?string $content = null): bool {}

        /**
         * Ends the response as a redirection.
         *
         * @param string $location the Location field
         * @param int $http_code 300 to 399
         * @throws \ValueError for another code, or control characters in the location
         */
        public function redirect(string $location, int $http_code = 302): bool {}

        /**
         * Ends the response with a file, or a part of it, which the kernel sends. When it cannot be sent:
         * a warning, and false.
         *
         * @param int $offset first byte
         * @param int $length number of bytes; 0: up to the end
         * @throws \ValueError for a negative offset or length
         * @throws \Ferrite\Exception when the length is not the Content-Length that was set
         */
        public function sendfile(string $filename, int $offset = 0, int $length = 0): bool {}
    }
}
