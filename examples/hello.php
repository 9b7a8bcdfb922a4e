<?php

// The smallest server. It says by itself where it can be reached and what it has started.
//
//   php -d extension=ferrite examples/hello.php [--host ADDRESS] [--port PORT] [--tls-port PORT]
//                                               [--workers N]
//
// HOST, PORT, TLS_PORT and WORKERS in the environment do the same. Port 0 picks a free port. With a
// TLS port it serves https there as well, with a certificate for development. Without --workers there
// is one worker for each processor.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

$options = getopt('', ['host:', 'port:', 'tls-port:', 'workers:']);
$host = $options['host'] ?? (getenv('HOST') ?: '127.0.0.1');
$port = (int) ($options['port'] ?? (getenv('PORT') ?: 9501));
$tlsPort = $options['tls-port'] ?? getenv('TLS_PORT');
$workers = (int) ($options['workers'] ?? getenv('WORKERS'));

$type = str_contains($host, ':') ? Ferrite\SOCK_TCP6 : Ferrite\SOCK_TCP;
$server = new Server($host, $port, Ferrite\PROCESS, $type);
if ($tlsPort !== false && $tlsPort !== '') {
    $server->listen($host, (int) $tlsPort, $type | Ferrite\SSL)->set(['tls' => 'dev']);
}
if ($workers > 0) {
    $server->set(['worker_num' => $workers]);
}

$server->on('Request', function (Request $request, Response $response): void {
    $name = htmlspecialchars($request->get['name'] ?? 'world');
    $response->header('Content-Type', 'text/html; charset=utf-8');
    $response->end("<h1>Hello, $name!</h1>\n");
});

$server->start();
