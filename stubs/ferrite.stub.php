<?php

/**
 * What the extension `ferrite` declares, for editors and static analysers. PHP never loads these
 * files; the declarations of the extension are generated from them when it is built.
 *
 * Times are seconds and sizes are bytes unless it says otherwise.
 */

namespace Ferrite;

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
/** Flag of a socket type: TLS. Needs `ssl_cert_file` and `ssl_key_file`, or `tls` set to 'dev'. */
const SSL = 512;
/** For `ssl_protocols`: TLS 1.2. */
const SSL_TLSv1_2 = 16;
/** For `ssl_protocols`: TLS 1.3. */
const SSL_TLSv1_3 = 32;

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
