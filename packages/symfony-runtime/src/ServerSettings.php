<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Http\Server;

/** Where an application is served, and with which options. */
final class ServerSettings
{
    /** @param array<string, mixed> $options options of the server; they go over what is found out here */
    private function __construct(
        private readonly string $host,
        private readonly int $port,
        private readonly ?int $tlsPort,
        private readonly array $options,
    ) {
    }

    /** @param array<string, mixed> $options those of the runtime */
    public static function from(array $options): self
    {
        $settings = $options['ferrite'] ?? [];
        $workers = self::environment('FERRITE_WORKERS');
        if ($workers !== null) {
            $settings['worker_num'] = self::number('FERRITE_WORKERS', $workers);
        }
        $tls = self::environment('FERRITE_TLS_PORT') ?? $options['tls_port'] ?? null;
        return new self(
            (string) (self::environment('FERRITE_HOST') ?? $options['host'] ?? '127.0.0.1'),
            self::number('FERRITE_PORT', self::environment('FERRITE_PORT') ?? $options['port'] ?? 8080),
            $tls === null ? null : self::number('FERRITE_TLS_PORT', $tls),
            $settings,
        );
    }

    /** A server with these options. With a TLS port and no certificate it has one for development. */
    public function server(): Server
    {
        $type = str_contains($this->host, ':') ? \Ferrite\SOCK_TCP6 : \Ferrite\SOCK_TCP;
        $server = new Server($this->host, $this->port, \Ferrite\PROCESS, $type);
        $server->set($this->options + self::files());
        if ($this->tlsPort !== null) {
            $port = $server->listen($this->host, $this->tlsPort, $type | \Ferrite\SSL);
            isset($this->options['ssl_cert_file']) || isset($this->options['tls']) || $port->set(['tls' => 'dev']);
        }
        return $server;
    }

    /**
     * The files beside the front script, but for programs, which are never sent.
     *
     * @return array<string, mixed>
     */
    private static function files(): array
    {
        return [
            'enable_static_handler' => true,
            'document_root' => dirname((string) realpath($_SERVER['SCRIPT_FILENAME'])),
        ];
    }

    private static function environment(string $name): mixed
    {
        $value = $_SERVER[$name] ?? $_ENV[$name] ?? null;
        return $value === '' ? null : $value;
    }

    private static function number(string $name, mixed $value): int
    {
        $number = filter_var($value, FILTER_VALIDATE_INT);
        return $number === false ? throw new \ValueError("$name must be a whole number, '$value' given") : $number;
    }
}
