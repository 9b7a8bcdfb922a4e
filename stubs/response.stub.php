<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Http;

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
     * @implementation-alias status
     */
    public function setStatusCode(int $http_code, string $reason = ''): bool {}

    /**
     * Sets a header field, in the place of what it was before, or beside it.
     *
     * @param string $key the name, in any case
     * @param string|array|null $value one value, a list of values for as many lines, or null to remove
     * @param bool $format without effect: names are sent as the version of HTTP has them
     * @param bool $append whether the lines that the field has stay, and more are added
     * @throws \ValueError for a name that is none, or CR, LF, NUL or other control characters in the
     *     value, and to append what a response has once: Content-Length, Content-Type, Location
     */
    public function header(
        string $key,
        string|array|null $value,
        bool $format = true,
        bool $append = false,
    ): bool {}

    /**
     * The same as {@see header()}.
     *
     * @throws \ValueError for a name that is none, or control characters in the value
     * @implementation-alias header
     */
    public function setHeader(
        string $key,
        string|array|null $value,
        bool $format = true,
        bool $append = false,
    ): bool {}

    /**
     * Sets a cookie; the value is percent-encoded.
     *
     * @param Cookie|string $name without the characters that PHP's setcookie() refuses; or the whole
     *     cookie, with no other argument
     * @param string $value an empty one deletes the cookie
     * @param int $expires Unix time; 0: the end of the session
     * @param string $path for which paths it is
     * @param string $domain for which hosts it is; '': this one
     * @param bool $secure over TLS only
     * @param bool $httponly not for scripts
     * @param string $samesite `Strict`, `Lax`, `None` or ''
     * @param string $priority `Low`, `Medium`, `High` or ''
     * @param bool $partitioned one jar for each top-level site; a cookie that is not `$secure` cannot be
     * @throws \ValueError for what cannot be in a cookie
     */
    public function cookie(
        object|string $name,
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
     * @implementation-alias cookie
     */
    public function setCookie(
        object|string $name,
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
        object|string $name,
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
     * @implementation-alias rawcookie
     */
    public function setRawCookie(
        object|string $name,
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

    /**
     * Whether somebody waits for it: it is not ended, and the client has not left. A client that has
     * closed its direction without having said so counts as leaving (see the option
     * `http_half_close`); what is written is still sent to it.
     */
    public function isWritable(): bool {}

    /**
     * The name of this response, by which {@see create()} takes it over once it is detached: a string that
     * can be stored, which nobody can guess. It is the same at each call, before {@see detach()} and behind
     * it.
     *
     * @throws \Ferrite\Exception when the response has been ended
     */
    public function token(): string {}

    /**
     * Leaves the response to whoever takes it over by {@see create()}: another callback, in this worker or
     * another. This worker is free when its handler returns. What was set or written stays; nothing more
     * can be set or sent by this object. False when it has been ended or detached before, or the client has
     * left.
     *
     * The client gets 504 when nobody has taken the response over within `detach_timeout`.
     *
     * @throws \Ferrite\Exception when as many responses are detached as `max_detached` allows, or behind a
     *     write() that was compressed; this response is as it was then, and can still be answered
     */
    public function detach(): bool {}

    /**
     * Takes over a detached response, in any callback of any worker: `create($token)`, or with the server in
     * front, `create($server, $token)`. Each can be taken over once; it has to be ended, or detached again,
     * in the callback that has taken it. When it has been taken over before, has waited too long, or its
     * client has left, nobody waits: {@see isWritable()} of what is returned is false.
     *
     * The number of a connection ({@see $fd}) in the place of a token means what this same worker has
     * detached last on that connection.
     *
     * @param object|string|int $server the server, or what $fd is
     * @param string|int|null $fd the token, or the number of a connection
     * @throws \ValueError for a string that is no token
     * @throws \Ferrite\Exception outside of the workers of a running server, and for a connection on which
     *     this worker has detached nothing
     */
    public static function create(object|string|int $server, string|int|null $fd = null): \Ferrite\Http\Response {}

    /**
     * Sends an interim response (1xx) at once, any number of them before the final one: 103 with
     * `Link` fields tells a browser what to load while the page is being made (RFC 8297). A field may
     * have a list of values. False when the final head has been sent, or the client has left; a client
     * of HTTP/1.0 is sent nothing.
     *
     * @param int $http_code from 102 to 199
     * @param array<string, string|list<string>> $headers
     * @throws \ValueError for another status, and for a name or value that cannot be in a header
     */
    public function informational(int $http_code, array $headers = []): bool {}

    /**
     * Sends a piece of the body; the head goes out with the first one. Does not wait for the client
     * unless that is `response_spool_bytes_max` bytes behind. Of an empty piece nothing is
     * sent, not even the head.
     *
     * @throws \Ferrite\Exception when it goes beyond the Content-Length that was set
     */
    public function write(string $content): bool {}

    /**
     * Sends a server-sent event, as write() sends a piece. With the first one go `Content-Type:
     * text/event-stream` and `Cache-Control: no-cache`, unless the handler has set them. An event without
     * anything in it is a comment, which keeps the connection alive.
     *
     * @param ?string $data UTF-8; CR, LF or both end a line
     * @param ?string $event its type
     * @param ?string $id what a client that comes back says in Last-Event-ID
     * @param ?int $retry milliseconds after which a client comes back
     * @throws \ValueError for CR, LF or NUL in the type or the id, and a negative time
     * @throws \Ferrite\Exception as write() does
     */
    public function event(?string $data, ?string $event = null, ?string $id = null, ?int $retry = null): bool {}

    /**
     * Ends the response, with a last piece of the body or the whole of it. Does not wait for the
     * client, however slow that is, unless what is kept for all clients together has reached its
     * bounds (`response_spool_disk_bytes_max`).
     *
     * @throws \Ferrite\Exception when the body has not the Content-Length that was set, or header or
     *     trailer fields are too large; the response is as it was then, and can still be answered
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
     * a warning, and false. A whole file is sent as the request asks for it, to GET and HEAD: with
     * ETag, Last-Modified and Accept-Ranges, as 206 to Range, as 304 or 412 to conditions; unless the
     * handler has set another status, Content-Length, Content-Range or trailers.
     *
     * @param int $offset first byte
     * @param int $length number of bytes; 0: up to the end
     * @throws \ValueError for a negative offset or length
     * @throws \Ferrite\Exception when the length is not the Content-Length that was set
     */
    public function sendfile(string $filename, int $offset = 0, int $length = 0): bool {}
}
