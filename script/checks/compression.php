<?php

// The server of the check of compression: a port in cleartext, a port with TLS.
// Environment: PLACE is a folder to leave files in.

declare(strict_types=1);

use Ferrite\Http\{Request, Response, Server};

$server = new Server('127.0.0.1', 0);
$server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set(['tls' => 'dev', 'http_compression' => true]);
$server->set(['worker_num' => 2, 'reactor_num' => 1, 'http_compression' => true]);
$server->on('Request', function (Request $request, Response $response) {
    switch ($request->server['request_uri']) {
        case '/page':
            return $response->end(file_get_contents(getenv('PLACE') . '/page'));
        case '/pieces': // each when the client says that it has seen the one before
            $response->header('Content-Type', $request->get['type']);
            foreach (['one', 'two', 'three'] as $piece) {
                $response->write("data: $piece\n\n");
                $seen = getenv('PLACE') . "/{$request->get['name']}-$piece";
                for ($deadline = microtime(true) + 10; !file_exists($seen); usleep(2000)) {
                    if (microtime(true) > $deadline) {
                        return $response->end('never seen');
                    }
                }
            }
            return $response->end('end');
        default:
            return $response->end('ready');
    }
});
$server->start();
