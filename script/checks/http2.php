<?php

// The server of the checks of HTTP/2 and TLS: a port in cleartext, a port with TLS, two workers.
// Environment: PLACE is a folder to leave files in.

declare(strict_types=1);

use Ferrite\Http\{Request, Response, Server};

$server = new Server('127.0.0.1', 0);
$server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set(['tls' => 'dev']);
$server->set([
    'worker_num' => 2,
    'reactor_num' => 2,
    'package_max_length' => '1G',
    'send_timeout' => 2,
    'response_spool_bytes_max' => '1M',
    'upload_tmp_dir' => getenv('PLACE'),
]);

/** A file of this server's own. */
function place(string $name): string
{
    return getenv('PLACE') . "/$name";
}

/** Writes until the client has gone; says in a file how much that was. */
function endless(Response $response, string $name): void
{
    $piece = str_repeat('x', 64 << 10);
    for ($written = 0; $response->write($piece); ) {
        $written += strlen($piece);
        file_put_contents(place($name), $written);
    }
    file_put_contents(place($name), "$written gone");
}

function answer(Server $server, Request $request, Response $response): void
{
    $get = $request->get ?? [];
    switch ($request->server['request_uri']) {
        case '/echo':
            foreach ($request->trailer ?? [] as $name => $value) {
                $response->trailer($name, $value);
            }
            $response->end($request->rawContent());
            return;
        case '/length': // leaves the content where it is
            $response->end($request->header['content-length']);
            return;
        case '/bytes':
            $response->end(str_repeat('0123456789abcdef', intdiv((int) $get['n'], 16)));
            return;
        case '/status':
            $response->status((int) $get['code']);
            $response->end();
            return;
        case '/slow':
            touch($busy = place('slow-' . getmypid()));
            usleep(1000 * (int) $get['ms']);
            unlink($busy);
            $response->end((string) getmypid());
            return;
        case '/mark': // leaves a byte for each call
            file_put_contents(place('marks'), 'x', FILE_APPEND);
            $response->end();
            return;
        case '/endless':
            endless($response, $get['name']);
            return;
        case '/stats':
            $response->end(json_encode($server->stats()));
            return;
        case '/pid':
            $response->end((string) getmypid());
            return;
        default:
            $response->end("Some text, in a few more bytes than one\n");
    }
}

$server->on('Request', fn (Request $request, Response $response) => answer($server, $request, $response));
$server->start();
