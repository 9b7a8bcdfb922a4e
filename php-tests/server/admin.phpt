--TEST--
admin_listen: a Unix socket for its user alone tells metrics, state and what workers do, takes verbs, and is removed at the end
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server->set(['worker_num' => 2, 'admin_listen' => place('admin.sock'), 'max_wait_time' => 10, 'request_id' => true, 'php_ini' => ['session.save_path' => 'hunter2']]);
    $server->on('Request', function ($request, $response) use ($server) {
        for ($until = microtime(true) + 20; $request->server['request_uri'] === '/hangs' && !file_exists(place('go')) && microtime(true) < $until;) {
            usleep(10_000);
        }
        $response->end(json_encode($server->stats()));
    });
    CODE;
$server = TestServer::start($code);
$socket = $server->place('admin.sock');

/** Status and content of an answer. */
function ask(string $socket, string $path, string $method = 'GET'): array
{
    $stream = stream_socket_client("unix://$socket");
    fwrite($stream, "$method $path HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    [$head, $content] = explode("\r\n\r\n", stream_get_contents($stream), 2);
    return [(int) substr($head, 9, 3), $content];
}
function figure(string $socket, string $name): int
{
    preg_match('/^' . preg_quote($name) . ' (\d+)$/m', ask($socket, '/metrics')[1], $found);
    return (int) ($found[1] ?? -1);
}

printf("%o\n", fileperms($socket) & 0777);
echo ask($socket, '/readyz')[1], ask($socket, '/healthz')[1];

// All workers hang: who looks is answered all the same, and sees where.
$hanging = [$server->connect(), $server->connect()];
foreach ($hanging as $connection) {
    $connection->request('GET', '/hangs');
}
$doing = fn () => array_column(array_column(json_decode(ask($socket, '/workers')[1], true), 'doing'), 'request');
wait_until(fn () => $doing() === ['GET /hangs', 'GET /hangs'], 'both hang');
$workers = json_decode(ask($socket, '/workers')[1], true);
echo implode(' ', array_column($workers, 'state')), ' ', min(array_column($workers, 'rss_bytes')) > 1 << 20 ? 'with memory' : 'without', "\n";
foreach ($workers as $worker) {
    echo $worker['pid'] === $server->children()["worker $worker[worker]"] ? 'its pid' : 'another pid', ' ',
        abs($worker['doing']['since'] - microtime(true)) < 60 ? 'since now' : 'since ever', "\n";
}
echo count(array_unique(array_column(array_column($workers, 'doing'), 'request_id'))), " ids\n";
echo figure($socket, 'ferrite_workers{state="busy"}'), " busy\n";
touch($server->place('go'));
foreach ($hanging as $connection) {
    $connection->response();
}

// The same figures as stats().
$stats = json_decode($server->get('/')->body, true);
$told = json_decode(ask($socket, '/status')[1], true)['stats'];
echo array_keys(array_diff_key($stats, ['worker_request_count' => 1, 'worker_response_count' => 1])) === array_keys($told) ? "all figures\n" : "others\n";
echo $stats['request_count'], ' ', figure($socket, 'ferrite_requests_received_total'), "\n";

// A worker that dies and a reload are counted apart.
send_signal($server->children()['worker 0'], SIGKILL);
wait_until(fn () => figure($socket, 'ferrite_worker_restarts_total{reason="died"}') === 1, 'its death is counted');
wait_until(fn () => figure($socket, 'ferrite_workers{state="idle"}') === 2, 'all are back');
[$status, $content] = ask($socket, '/reload', 'POST');
echo $status, ' ', json_decode($content, true)['message'], "\n";
wait_until(fn () => figure($socket, 'ferrite_reloads_total{result="finished"}') === 1, 'the reload ends');
echo figure($socket, 'ferrite_worker_restarts_total{reason="reload"}'), ' ', figure($socket, 'ferrite_worker_restarts_total{reason="died"}'), "\n";

// Figures outlive the reactor.
$requests = figure($socket, 'ferrite_http_requests_total{network_protocol_version="1.1",http_request_method="GET",http_response_status_class="2xx"}');
$former = $server->children()['reactor'];
send_signal($former, SIGKILL);
wait_until(fn () => ($server->children()['reactor'] ?? $former) !== $former, 'another reactor');
$server->get('/');
wait_until(fn () => figure($socket, 'ferrite_http_requests_total{network_protocol_version="1.1",http_request_method="GET",http_response_status_class="2xx"}') === $requests + 1, 'it goes on counting');
echo figure($socket, 'ferrite_reactor_restarts_total'), " reactor replaced\n";

$options = ask($socket, '/options')[1];
echo json_decode($options, true)['options']['max_wait_time']['value'], ' ', str_contains($options, 'hunter2') ? 'a secret' : 'no secret', "\n";

echo ask($socket, '/drain', 'POST')[0], ' ', implode(' ', ask($socket, '/readyz')), $server->get('/')->status, "\n";
echo ask($socket, '/stop', 'POST')[0], "\n";
echo $server->wait(), ' ', file_exists($socket) ? 'left' : 'removed', "\n";
?>
--EXPECT--
600
ready
ok
busy busy with memory
its pid since now
its pid since now
2 ids
2 busy
all figures
3 3
202 the workers are being replaced
2 1
1 reactor replaced
10 no secret
202 503 draining
200
202
0 removed
