--TEST--
request_id: a client that takes nothing, and content that cannot be kept, are told with the id of their request
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'request_id' => true, 'trusted_proxies' => ['127.0.0.1'], 'log_format' => 'json',
        'log_level' => Ferrite\LOG_TRACE, 'send_timeout' => 0.1, 'http_compression' => false,
        'body_memory_bytes_max' => 1000, 'body_spool_bytes_max' => 0]);
    $server->on('Request', fn ($request, $response) => $response->end(str_repeat('x', 32 << 20)));
    CODE);
$line = function (string $event) use ($server): array {
    wait_until(function () use ($event, $server, &$found) {
        $lines = array_map(fn ($line) => json_decode($line, true), explode("\n", rtrim($server->log())));
        $found = array_values(array_filter($lines, fn ($line) => ($line['event'] ?? '') === $event));
        return $found !== [];
    }, "the log has $event");
    return $found[0];
};

$silent = $server->connect();
$silent->request('GET', '/large', ['X-Request-Id' => 'takes-nothing']);
echo $line('client_stalled')['request_id'], "\n";

$sends = $server->connect();
$sends->request('POST', '/', ['X-Request-Id' => 'not-kept'], str_repeat('x', 1001));
echo $sends->response()->status, "\n";
$failed = $line('spool_failed');
echo $failed['request_id'], ' ', $failed['request'], "\n";
echo $server->stop(), "\n";
?>
--EXPECT--
takes-nothing
503
not-kept POST /
0
