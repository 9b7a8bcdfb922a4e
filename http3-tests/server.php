<?php

// The server that the HTTP/3 tests ask.
//
//   php -d extension=ferrite server.php FOLDER SETTINGS
//
// FOLDER holds server.pem and server.key, and gets `ready` (JSON: the ports and the supervisor's
// pid) and `journal` (a line for what a handler did). SETTINGS are JSON: {"server": {...}, "port":
// {...}}, the options of the server and of the port with TLS, and "host", the address of the latter.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

[, $folder, $settings] = $argv;
$settings = json_decode($settings, true, flags: JSON_THROW_ON_ERROR);

$server = new Server('127.0.0.1', 0);
$server->set(['banner' => false, 'worker_num' => 2, 'reactor_num' => 2, ...$settings['server'] ?? []]);
$host = $settings['host'] ?? '127.0.0.1';
$type = str_contains($host, ':') ? Ferrite\SOCK_TCP6 : Ferrite\SOCK_TCP;
$port = $server->listen($host, 0, $type | Ferrite\SSL);
$port->set([
    'ssl_cert_file' => "$folder/server.pem",
    'ssl_key_file' => "$folder/server.key",
    'package_max_length' => '64M',
    ...$settings['port'] ?? [],
]);

$journal = function (string $line) use ($folder): void {
    file_put_contents("$folder/journal", "$line\n", FILE_APPEND | LOCK_EX);
};
$json = function (Response $response, mixed $value): void {
    $response->header('Content-Type', 'application/json');
    $response->end(json_encode($value, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE));
};

$routes = [
    '/protocol' => fn (Request $request, Response $response) => $response->end($request->server['server_protocol']),
    '/number' => fn (Request $request, Response $response) => $response->end($request->get['n']),
    '/show' => fn (Request $request, Response $response) => $json($response, [
        'server' => $request->server,
        'header' => $request->header,
        'cookie' => $request->cookie,
        'get' => $request->get,
        'length' => strlen($request->rawContent()),
        'pid' => getmypid(),
    ]),
    '/echo' => fn (Request $request, Response $response) => $response->end($request->rawContent()),
    // Reads the content while it arrives, with little memory.
    '/count' => function (Request $request, Response $response): void {
        ini_set('memory_limit', '32M');
        for ($bytes = 0, $stream = $request->stream(); !feof($stream); $bytes += strlen($piece)) {
            $piece = fread($stream, 1 << 16);
        }
        $response->end((string) $bytes);
    },
    '/digest' => fn (Request $request, Response $response) => $json($response, [
        'length' => strlen($request->rawContent()),
        'sha256' => hash('sha256', $request->rawContent()),
    ]),
    '/bytes' => function (Request $request, Response $response): void {
        $response->end(str_repeat('0123456789abcdef', intdiv((int) $request->get['n'] + 15, 16)));
    },
    '/trailers' => function (Request $request, Response $response): void {
        $response->trailer('x-sum', 'of the response');
        $response->write($request->trailer['x-sum'] ?? 'no trailer');
        $response->end();
    },
    '/alt-svc' => function (Request $request, Response $response): void {
        $response->header('Alt-Svc', 'clear');
        $response->end();
    },
    '/hints' => function (Request $request, Response $response): void {
        $response->informational(103, ['Link' => '</style.css>; rel=preload; as=style']);
        $response->end('hinted');
    },
    '/status' => function (Request $request, Response $response): void {
        $response->status((int) $request->get['code']);
        $response->end();
    },
    // One answer, after a while.
    '/slow' => function (Request $request, Response $response) use ($journal): void {
        $journal("start {$request->get['name']}");
        usleep(1000 * (int) $request->get['ms']);
        $response->end((string) getmypid());
    },
    // Pieces, one after another, until the client has left.
    '/drip' => function (Request $request, Response $response) use ($journal): void {
        $journal("start {$request->get['name']}");
        for ($piece = 0; $piece < (int) ($request->get['pieces'] ?? 2000); $piece++) {
            if (!$response->write('piece ')) {
                $journal("gone {$request->get['name']}");
                return;
            }
            usleep(10_000);
        }
        $response->end();
    },
    // A page that can be compressed.
    '/page' => fn (Request $request, Response $response) => $response->end(str_repeat('<p>A page.</p>', 5000)),
    // Pieces, each when the client says by a file that it has seen the one before.
    '/seen' => function (Request $request, Response $response) use ($folder): void {
        $response->header('Content-Type', $request->get['type']);
        foreach (['one', 'two', 'three'] as $piece) {
            $response->event($piece);
            for ($deadline = microtime(true) + 10; !file_exists("$folder/{$request->get['name']}-$piece"); usleep(2000)) {
                if (microtime(true) > $deadline) {
                    $response->end('never seen');
                    return;
                }
            }
        }
        $response->end();
    },
    '/stats' => fn (Request $request, Response $response) => $json($response, $server->stats()),
];

$server->on('Start', function (Server $server) use ($folder, $port): void {
    file_put_contents("$folder/ready.new", json_encode([
        'clear' => $server->port,
        'tls' => $port->port,
        'pid' => $server->master_pid,
    ]));
    rename("$folder/ready.new", "$folder/ready");
});
$server->on('Request', function (Request $request, Response $response) use ($routes): void {
    $route = $routes[$request->server['request_uri']] ?? null;
    if ($route === null) {
        $response->status(404);
        $response->end('no such route');
        return;
    }
    $route($request, $response);
});
$server->start();
