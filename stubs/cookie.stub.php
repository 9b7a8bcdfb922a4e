<?php

/** Part of the stubs of the extension `ferrite`; see ferrite.stub.php. */

namespace Ferrite\Http;

/**
 * A cookie, for {@see Response::cookie()}. Its methods change it and return it; it may be sent more than
 * once, in any number of responses.
 */
class Cookie
{
    /**
     * A cookie without name, value and attributes.
     *
     * @param bool $encode whether the value is percent-encoded when it is sent
     */
    public function __construct(bool $encode = true) {}

    /**
     * @param string $name without the characters that PHP's setcookie() refuses
     * @throws \ValueError for what cannot be a name
     */
    public function withName(string $name): \Ferrite\Http\Cookie {}

    /**
     * @param string $value an empty one deletes the cookie
     * @throws \ValueError for what would have to be encoded, in a cookie that is not
     */
    public function withValue(string $value = ''): \Ferrite\Http\Cookie {}

    /**
     * @param int $expires Unix time; 0: the end of the session
     * @throws \ValueError for a time after the year 9999
     */
    public function withExpires(int $expires = 0): \Ferrite\Http\Cookie {}

    /**
     * @param string $path for which paths it is; '', as in a new object: those beside the request's
     * @throws \ValueError for what cannot be in a cookie
     */
    public function withPath(string $path = '/'): \Ferrite\Http\Cookie {}

    /**
     * @param string $domain for which hosts it is; '': this one
     * @throws \ValueError for what cannot be in a cookie
     */
    public function withDomain(string $domain = ''): \Ferrite\Http\Cookie {}

    /** Over TLS only. */
    public function withSecure(bool $secure = false): \Ferrite\Http\Cookie {}

    /** Not for scripts. */
    public function withHttpOnly(bool $httpOnly = false): \Ferrite\Http\Cookie {}

    /**
     * @param string $sameSite `Strict`, `Lax`, `None` or ''
     * @throws \ValueError for another one
     */
    public function withSameSite(string $sameSite = ''): \Ferrite\Http\Cookie {}

    /**
     * @param string $priority `Low`, `Medium`, `High` or ''
     * @throws \ValueError for another one
     */
    public function withPriority(string $priority = ''): \Ferrite\Http\Cookie {}

    /** One jar for each top-level site. Such a cookie must be secure when it is sent. */
    public function withPartitioned(bool $partitioned = false): \Ferrite\Http\Cookie {}

    /**
     * Everything that was set, and the rest as it is without.
     *
     * @return array<string, string|int|bool> name, value, path, domain, sameSite, priority, encode,
     *     expires, secure, httpOnly, partitioned
     */
    public function toArray(): array {}

    /**
     * The value of the field Set-Cookie.
     *
     * @throws \Ferrite\Exception without a name, and for a partitioned cookie that is not secure
     */
    public function toString(): string {}

    /** Forgets all but what the constructor was told. */
    public function reset(): \Ferrite\Http\Cookie {}
}
