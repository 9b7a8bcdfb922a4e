<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** Judges PHP and the machine. */
final class Machine
{
    /** What a socket of HTTP/3 asks for: QUIC_SOCKET_BYTES of the reactor. */
    private const RECEIVE_BUFFER = 4 << 20;
    /** Fewer are used up by a server without clients; and fewer than the second by a few thousand of them. */
    private const FILES_LEAST = 256;
    private const FILES_GOOD = 4096;
    private const TEMPORARY_BYTES_GOOD = 1 << 30;
    /** The first version of PHP that was never looked at. */
    private const PHP_UNKNOWN = 80600;

    /** @return list<Finding> */
    public static function findings(Facts $facts): array
    {
        return [
            self::php($facts),
            self::extension($facts),
            self::opcache($facts),
            self::memory($facts),
            self::xdebug($facts),
            self::openssl($facts),
            self::kernel($facts),
            self::files($facts),
            self::buffers($facts),
            self::packets($facts),
            self::temporary($facts),
        ];
    }

    private static function php(Facts $facts): Finding
    {
        $binary = PHP_BINARY;
        return match (true) {
            $facts->phpId < 80200 => Finding::error('PHP', "$facts->php is too old", 'Install PHP 8.2 or newer.'),
            $facts->threadSafe => Finding::error(
                'PHP',
                "$binary is thread-safe (ZTS), and Ferrite forks",
                'Install a PHP without thread safety (NTS), which is what distributions ship, and run this with it.',
            ),
            $facts->debug => Finding::error('PHP', "$binary is a debug build", 'Install a release build of PHP.'),
            $facts->phpId >= self::PHP_UNKNOWN => Finding::warning(
                'PHP',
                "$facts->php is newer than what Ferrite is tested with",
                'If something is odd, try PHP 8.4.',
            ),
            default => Finding::ok('PHP', "$facts->php, $binary"),
        };
    }

    private static function extension(Facts $facts): Finding
    {
        if ($facts->ferrite !== null) {
            return Finding::ok('ferrite', $facts->ferriteFile === null
                ? "$facts->ferrite, loaded by php.ini"
                : "$facts->ferrite, $facts->ferriteFile (ferrite serve loads it; for php server.php: php -d extension=$facts->ferriteFile)");
        }
        if ($facts->ferriteFile !== null) {
            return Finding::error('ferrite', "$facts->ferriteFile does not load: $facts->complaint", "Build it for PHP $facts->php: pie install ferrite/ferrite");
        }
        return Finding::error(
            'ferrite',
            'the extension was not found in: ' . implode(', ', Extension::places()),
            'Install it (pie install ferrite/ferrite), or name its file: FERRITE_EXTENSION=/path/to/ferrite.so',
        );
    }

    private static function opcache(Facts $facts): Finding
    {
        if ($facts->opcacheWorks) {
            return Finding::ok('opcache', 'on');
        }
        if (!$facts->opcacheInstalled) {
            return Finding::warning('opcache', 'it is not installed: every request compiles the application anew', 'apt-get install php-opcache');
        }
        if ($facts->ini['opcache.enable'] === '0') {
            return Finding::warning('opcache', 'php.ini switches it off: every request compiles the application anew', 'Write opcache.enable=1 into php.ini.');
        }
        return Finding::warning(
            'opcache',
            'off on the command line: ferrite serve switches it on, php server.php does not',
            'Write zend_extension=opcache and opcache.enable_cli=1 into php.ini.',
        );
    }

    private static function memory(Facts $facts): Finding
    {
        $limit = $facts->ini['memory_limit'];
        if (ini_parse_quantity($limit) < 0) {
            return Finding::warning(
                'memory_limit',
                'there is none: one request can take all memory (ferrite serve sets 256M)',
                "Write memory_limit=256M into php.ini, or use the option 'php_ini' of the server.",
            );
        }
        return Finding::ok('memory_limit', $limit);
    }

    private static function xdebug(Facts $facts): Finding
    {
        if (!in_array('xdebug', $facts->extensions, true)) {
            return Finding::ok('xdebug', 'not loaded');
        }
        $mode = $facts->ini['xdebug.mode'];
        if ($mode === 'off') {
            return Finding::ok('xdebug', 'loaded, and off');
        }
        $waits = in_array(strtolower($facts->ini['xdebug.start_with_request'] ?? ''), ['1', 'yes'], true) && str_contains($mode, 'debug');
        return Finding::warning(
            'xdebug',
            "on (xdebug.mode=$mode): PHP runs several times slower" . ($waits ? ', and each request looks for a debugger' : ''),
            'Start the server with XDEBUG_MODE=off in its environment, unless you debug.',
        );
    }

    private static function openssl(Facts $facts): Finding
    {
        return in_array('openssl', $facts->extensions, true)
            ? Finding::ok('openssl', 'there, for the certificate of ferrite serve')
            : Finding::warning('openssl', 'missing: ferrite serve makes another certificate at each start', 'Install the extension openssl.');
    }

    private static function kernel(Facts $facts): Finding
    {
        if (PHP_OS_FAMILY !== 'Linux') {
            return Finding::error('kernel', PHP_OS_FAMILY . ' is not Linux', 'Run it on Linux, or in a container.');
        }
        return Finding::ok('kernel', trim("Linux $facts->kernel"));
    }

    private static function files(Facts $facts): Finding
    {
        $says = "a process may have $facts->filesMax open";
        $advice = 'Raise the hard limit: LimitNOFILE=65536 in the unit of systemd, or ulimit -Hn 65536.';
        return match (true) {
            $facts->filesMax < self::FILES_LEAST => Finding::error('open files', "$says, which is not enough for a server", $advice),
            $facts->filesMax < self::FILES_GOOD => Finding::warning('open files', "$says, so there are fewer connections", $advice),
            default => Finding::ok('open files', $says),
        };
    }

    private static function buffers(Facts $facts): Finding
    {
        $wanted = self::RECEIVE_BUFFER;
        if ($facts->receiveBufferMax === 0 || $facts->receiveBufferMax >= $wanted) {
            return Finding::ok('UDP buffers', $facts->receiveBufferMax === 0 ? 'not known' : "net.core.rmem_max is $facts->receiveBufferMax");
        }
        if ($facts->maySetBuffers) {
            return Finding::ok('UDP buffers', "net.core.rmem_max is $facts->receiveBufferMax, which this user may exceed");
        }
        return Finding::warning(
            'UDP buffers',
            "net.core.rmem_max is $facts->receiveBufferMax: HTTP/3 loses packets under load",
            "sysctl -w net.core.rmem_max=$wanted, and the same line (net.core.rmem_max=$wanted) in /etc/sysctl.d/ferrite.conf.",
        );
    }

    private static function packets(Facts $facts): Finding
    {
        return match ($facts->cutsPackets) {
            true => Finding::ok('UDP GSO', 'the kernel cuts packets'),
            null => Finding::ok('UDP GSO', 'not known'),
            false => Finding::warning(
                'UDP GSO',
                'the kernel does not cut packets (UDP_SEGMENT): HTTP/3 costs more system calls',
                'Use Linux 4.18 or newer; a container may not let it through.',
            ),
        };
    }

    private static function temporary(Facts $facts): Finding
    {
        $advice = "Set the option 'upload_tmp_dir', or TMPDIR, to a folder with room.";
        if ($facts->temporaryBytes === null) {
            return Finding::error('temporary', "$facts->temporaryFolder cannot be written: uploads and large bodies go there", $advice);
        }
        $size = sprintf('%s has %.1f GB free', $facts->temporaryFolder, $facts->temporaryBytes / (1 << 30));
        return $facts->temporaryBytes < self::TEMPORARY_BYTES_GOOD
            ? Finding::warning('temporary', "$size, for uploads and responses that clients have not taken", $advice)
            : Finding::ok('temporary', $size);
    }
}
