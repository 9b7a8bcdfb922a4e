<?php

// The smallest server, and a banner that tells what has been started.
//
//   php -d extension=ferrite examples/hello.php [--host ADDRESS] [--port PORT] [--workers N]
//
// HOST, PORT and WORKERS in the environment do the same. Port 0 picks a free port.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

$options = getopt('', ['host:', 'port:', 'workers:']);
$host = $options['host'] ?? (getenv('HOST') ?: '127.0.0.1');
$port = (int) ($options['port'] ?? (getenv('PORT') ?: 9501));
$workers = (int) ($options['workers'] ?? getenv('WORKERS'));

$type = str_contains($host, ':') ? Ferrite\SOCK_TCP6 : Ferrite\SOCK_TCP;
$server = new Server($host, $port, Ferrite\PROCESS, $type);
if ($workers > 0) {
    $server->set(['worker_num' => $workers]);
}

$server->on('Request', function (Request $request, Response $response): void {
    $name = htmlspecialchars($request->get['name'] ?? 'world');
    $response->header('Content-Type', 'text/html; charset=utf-8');
    $response->end("<h1>Hello, $name!</h1>\n");
});

// Runs in the supervisor, once everything is listening.
$server->on('Start', function (Server $server) use ($host): void {
    $shown = match ($host) {
        '0.0.0.0' => '127.0.0.1',
        '::' => '[::1]',
        default => str_contains($host, ':') ? "[$host]" : $host,
    };
    $workers = $server->setting['worker_num'];
    $reactors = $server->setting['reactor_num'];

    echo "\n  Ferrite ", phpversion('ferrite'), ' on PHP ', PHP_VERSION, "\n\n";
    echo "  http://$shown:{$server->port}/\n\n";
    echo "  supervisor   pid {$server->master_pid}\n";
    echo "  ├─ reactor   threads: $reactors\n";
    echo "  └─ worker    processes: $workers\n\n";
    echo "  Ctrl-C stops it; kill -USR1 {$server->master_pid} replaces the workers.\n\n";
});

$server->start();
