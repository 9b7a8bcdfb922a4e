<?php

// A clock that the server writes and the browser shows: server-sent events.
//
//   php -d extension=ferrite examples/stream.php [--port PORT] [--workers N]
//
// write() sends its argument at once and blocks while the client does not read. While it streams,
// a worker does nothing else: this suits a progress report, not thousands of listeners.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

const PAGE = <<<'HTML'
    <!doctype html>
    <meta charset="utf-8">
    <title>Clock</title>
    <h1>--:--:--</h1>
    <script>
    new EventSource('/events').addEventListener('message', event => {
        document.querySelector('h1').textContent = JSON.parse(event.data).time;
    });
    </script>
    HTML;

function stream(Request $request, Response $response): void
{
    $count = min(3600, (int) ($request->get['count'] ?? 60));
    $interval = max(10, (int) ($request->get['interval'] ?? 1000));

    $response->header('Content-Type', 'text/event-stream');
    $response->header('Cache-Control', 'no-store');
    for ($tick = 1; $tick <= $count; $tick++) {
        $event = json_encode(['tick' => $tick, 'time' => date('H:i:s')]);
        // False when the client has left: nobody is there to write to.
        if (!$response->write("data: $event\n\n")) {
            return;
        }
        usleep($interval * 1000);
    }
    $response->end();
}

$options = getopt('', ['port:', 'workers:']);
$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
$server->set(['worker_num' => (int) ($options['workers'] ?? 4)]);

$server->on('Request', function (Request $request, Response $response): void {
    if ($request->server['request_uri'] === '/events') {
        stream($request, $response);
        return;
    }
    $response->header('Content-Type', 'text/html; charset=utf-8');
    $response->end(PAGE);
});

$server->start();
