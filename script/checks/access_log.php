<?php

// What script/checks/access_log asks: a server whose access log goes to the first argument, with ids.

declare(strict_types=1);

use Ferrite\Http\{Request, Response, Server};

$server = new Server('127.0.0.1', 0);
$server->set([
    'worker_num' => 2,
    'reactor_num' => 2,
    'access_log' => $argv[1],
    'access_log_format' => 'json',
    'access_log_exclude' => ['/', '/lost'],
    'request_id' => true,
    'log_file' => '/dev/null',
]);
$server->on('Start', function (Server $server): void {
    echo "http://127.0.0.1:{$server->port}\n";
});
$server->on('Request', function (Request $request, Response $response) use ($server): void {
    $response->end(match ($request->server['request_uri']) {
        '/lost' => (string) $server->stats()['access_log_lost_count'],
        '/' => 'ready',
        default => substr($request->server['request_uri'], 1),
    });
});
$server->start();
