<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** Whether ports are free, and who has them. */
final class Ports
{
    private const LISTENS = '0A';

    /**
     * Judges the ports that were asked for, or those that `ferrite serve` tries first.
     *
     * @return list<Finding>
     */
    public static function findings(string $host, ?int $port, ?int $tlsPort): array
    {
        return [
            self::judge('tcp', $host, $port ?? Serve::PORT, $port !== null),
            self::judge('tcp', $host, $tlsPort ?? Serve::TLS_PORT, $tlsPort !== null),
            self::judge('udp', $host, $tlsPort ?? Serve::TLS_PORT, $tlsPort !== null),
        ];
    }

    private static function judge(string $transport, string $host, int $port, bool $asked): Finding
    {
        $host = trim($host, '[]');
        $address = str_contains($host, ':') ? "[$host]:$port" : "$host:$port";
        $flags = $transport === 'udp' ? STREAM_SERVER_BIND : STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
        $subject = "port $port";
        $name = strtoupper($transport);
        // Several sockets may have a UDP port if all of them agree to it, so binding says too little.
        $isShared = $transport === 'udp' && self::sockets($transport, $port) !== [];
        $socket = $isShared ? false : @stream_socket_server("$transport://$address", $code, $message, $flags);
        if ($socket !== false) {
            return Finding::ok($subject, "$name $address is free");
        }
        // PHP does not always tell the number of the error.
        if (!$isShared && !str_contains($message, 'in use')) {
            $advice = $port < 1024 ? 'Ports below 1024 are for root: take another one, or setcap cap_net_bind_service+ep ' . PHP_BINARY
                : 'Is it an address of this machine? ip address lists them.';
            return Finding::error($subject, "$name $address cannot be bound: $message", $advice);
        }
        $says = "$name $address is in use" . self::owner($transport, $port);
        return $asked
            ? Finding::error($subject, $says, 'End that program, or take another port: --port, --tls-port.')
            : Finding::warning($subject, "$says: ferrite serve takes the next one", 'Name one by --port, --tls-port.');
    }

    /** @return array<string, true> the sockets that have a port, as links to them are named */
    private static function sockets(string $transport, int $port): array
    {
        $sockets = [];
        foreach ([$transport, "{$transport}6"] as $table) {
            foreach (array_slice(@file("/proc/net/$table") ?: [], 1) as $line) {
                $fields = preg_split('/\s+/', trim($line));
                [, $local] = explode(':', $fields[1]) + [1 => ''];
                if (hexdec($local) === $port && ($transport === 'udp' || $fields[3] === self::LISTENS)) {
                    $sockets["socket:[$fields[9]]"] = true;
                }
            }
        }
        return $sockets;
    }

    /** Which program has a port, as far as this user may know. */
    private static function owner(string $transport, int $port): string
    {
        $sockets = self::sockets($transport, $port);
        foreach ($sockets === [] ? [] : (glob('/proc/[0-9]*/fd/*') ?: []) as $descriptor) {
            if (isset($sockets[(string) @readlink($descriptor)])) {
                $pid = explode('/', $descriptor)[2];
                return ' by ' . trim((string) @file_get_contents("/proc/$pid/comm")) . " (process $pid)";
            }
        }
        return '';
    }
}
