<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Http;

/**
 * A request. Made by the server.
 *
 * The properties are built at their first use, and are ordinary arrays from then on; what is not
 * used costs nothing. They are null when there is nothing to show.
 */
class Request
{
    /**
     * Number of the connection, unique as long as the server runs; {@see \Ferrite\Http\Server::close()}
     * takes it.
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
     * `request_scheme` (`http`, `https`), `server_protocol` (`HTTP/1.0`, `HTTP/1.1`), `server_port`,
     * `server_addr`, `remote_port`, `remote_addr` (`unix:` on a Unix socket), `master_time`. Over TLS also
     * `https` (`on`), `ssl_protocol` (`TLSv1.3`), `ssl_cipher`, `ssl_server_name` (SNI, if the client
     * has named one), and of a client that had to show a certificate `ssl_client_verify` (`SUCCESS`),
     * `ssl_client_s_dn` (its subject) and `ssl_client_cert` (PEM). Behind a proxy that `trusted_proxies`
     * names, addresses, scheme, `https`, `server_port` and the field `host` are what the proxy says;
     * `remote_port` is 0 if it does not tell. Where requests have ids (`request_id`), `request_id`.
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
     * Trailer fields, as {@see $header}. Of a body that arrives while the handler runs they are known once
     * it has been read to its end.
     *
     * @var array<string, string|list<string>>|null
     */
    public $trailer;

    /**
     * The body; an empty string when there is none. Waits for one that is still arriving, and gives what
     * no {@see stream()} has taken of it.
     *
     * @throws \Ferrite\Exception when the temporary file of a large body cannot be read, or the body breaks
     *     off
     */
    public function rawContent(): string|false {}

    /**
     * The same as {@see rawContent()}.
     *
     * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
     * @implementation-alias rawContent
     */
    public function getContent(): string|false {}

    /**
     * The body as a PHP stream, for `fread()`, `stream_copy_to_stream()` and their like. A body that is
     * stored already is read from its start, by each stream anew, and `rewind()` and `fseek()` work. One
     * that arrives while the handler runs (`body_stream`, `body_stream_locations`) is read once, and
     * reading waits for it; the client is asked to send it (100 Continue) by the first read, and sends no
     * faster than it is read.
     *
     * When the client leaves, or is too slow (`body_timeout`, `body_stream_rate_min`), the stream ends
     * with a warning.
     *
     * @return resource|false
     *
     * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
     */
    public function stream() {}

    /**
     * Head and body as HTTP/1.1 would have them. Made from what was understood: names are in lower
     * case, and nothing is chunked.
     *
     * @throws \Ferrite\Exception when the temporary file of a large body cannot be read
     */
    public function getData(): string|false {}

    /** The method, as it was sent. */
    public function getMethod(): string|false {}

    /**
     * The target, byte for byte: the path, and the query with its `?` if there is one, also an empty one.
     * Nothing is decoded or normalized. Of a target in absolute form (`GET http://shop.example/a?b`)
     * without scheme and authority, which are `request_scheme` and the field `host`; `*` of `OPTIONS *`.
     */
    public function getTarget(): string|false {}

    /** Whether all of the body has arrived; false only while it is read as it arrives. */
    public function isCompleted(): bool {}
}
