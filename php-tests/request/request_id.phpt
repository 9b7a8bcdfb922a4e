--TEST--
request_id: one id in the request, in its response, in every line of the log and in the access log
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

const UUID = '/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/D';

$start = fn (string $options) => TestServer::script(<<<CODE
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, $options]);
    \$server->on('Start', ready(...));
    \$server->on('Request', function (\$request, \$response) {
        match (\$request->server['request_uri']) {
            '/dies' => posix_kill(getmypid(), SIGKILL),
            '/throws' => throw new LogicException("oh\\nno"),
            '/own' => \$response->header('X-Request-Id', 'own'),
            '/missing' => \$response->header('X-Sendfile', place('missing')),
            '/detach' => \$response->detach(),
            '/header' => \$response->header('X-A', \$request->header['x-request-id'] ?? 'none'),
            default => null,
        };
        \$request->server['request_uri'] === '/detach' || \$response->end(\$request->server['request_id'] ?? 'none');
    });
    \$server->start();
    CODE);
$get = function (TestServer $server, string $target, array $headers = []): TestResponse {
    $connection = $server->connect();
    $connection->request('GET', $target, $headers);
    return $connection->response();
};

// Nobody wants any.
$server = $start('');
$response = $server->get('/');
echo $response->body, ' ', $response->header('x-request-id') ?? 'none', "\n";
$server->get('/throws');
$server->waitForLog('/LogicException/');
echo str_contains($server->log(), 'request_id') ? $server->log() : "not in the log\n";
$server->stop();

// A new one for each.
$server = $start("'request_id' => true, 'request_id_response' => true, 'log_format' => 'json', 'log_level' => Ferrite\\LOG_TRACE,
    'access_log' => place('access.log'), 'access_log_format' => '{request_id} {path} {status}', 'http_compression' => false,
    'x_sendfile_roots' => [dirname(place('x'))], 'detach_timeout' => 0.1");
$one = $get($server, '/', ['X-Request-Id' => 'forged']);
$other = $get($server, '/');
echo preg_match(UUID, $one->body), preg_match(UUID, $other->body), $one->body === $other->body ? 'the same' : '', "\n";
echo $one->header('x-request-id') === $one->body ? "echoed\n" : "not echoed\n";
echo $get($server, '/own')->header('x-request-id'), "\n";
echo $get($server, '/header', ['X-Request-Id' => 'forged'])->header('x-a'), " stays in the header\n";

// In lines of a worker, of the supervisor about a dead worker, and of the reactor.
$events = fn () => array_map(fn ($line) => json_decode($line, true), explode("\n", rtrim($server->log())));
$line = function (string $event) use ($events): array {
    wait_until(function () use ($event, $events, &$found) {
        $found = array_values(array_filter($events(), fn ($line) => ($line['event'] ?? '') === $event));
        return $found !== [];
    }, "the log has $event");
    return end($found);
};
$threw = $get($server, '/throws');
echo $threw->status, ' ', $line('request_failed')['request_id'] === $threw->header('x-request-id') ? "found\n" : "lost\n";
$died = $get($server, '/dies');
echo $died->status, ' ', $line('worker_died')['request_id'] === $died->header('x-request-id') ? "found\n" : "lost\n";
wait_until(fn () => $server->get('/')->status === 200, 'it serves again');
$connection = $server->connect();
$connection->send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
echo $connection->response()->status, "\n";
$refused = $line('request_refused')['request_id'];
echo preg_match(UUID, $refused), "\n";
foreach (['/missing' => 404, '/detach' => 504] as $path => $status) {
    $response = $get($server, $path);
    $lines = fn () => array_filter($events(), fn ($line) => ($line['event'] ?? '') === 'response_invalid' && ($line['request_id'] ?? '') === $response->header('x-request-id'));
    wait_until(fn () => count($lines()) === 1, "the log has a line about $path");
    echo $response->status === $status ? "found\n" : "$response->status\n";
}
isset($line('worker_replaced')['request_id']) && print "a line that is about no request has an id\n";
$log = $server->place('access.log');
$lines = fn () => file_exists($log) ? file_get_contents($log) : '';
foreach (["$one->body / 200", $died->header('x-request-id') . ' /dies 502', "$refused / 400"] as $wanted) {
    wait_until(fn () => str_contains($lines(), "$wanted\n"), $wanted);
}
echo $server->stop(), "\n";

// A trusted proxy's, if it is one.
$server = $start("'request_id' => true, 'trusted_proxies' => ['127.0.0.1'], 'request_id_header' => 'X-Correlation-ID', 'request_id_response' => true");
foreach (['from-the-proxy', 'Root=1-67891233-abc', "a b", 'a"b', str_repeat('x', 129), 'a,b'] as $id) {
    $response = $get($server, '/', ['X-Correlation-ID' => $id]);
    echo $response->body === $id ? $id : preg_match(UUID, $response->body),
        $response->header('x-correlation-id') === $response->body ? '' : ' not echoed', "\n";
}
$get($server, '/throws', ['X-Correlation-ID' => 'in-the-text']);
echo preg_match('/LogicException.*\[request_id=in-the-text\]$/m', $server->waitForLog('/LogicException.*/')[0]), "\n";
$server->stop();

// Where the access log uses them, and nowhere when they are switched off.
foreach (["'access_log' => place('access.log'), 'access_log_format' => 'json'", "'request_id_response' => true, 'request_id' => false"] as $options) {
    $server = $start($options);
    echo preg_match(UUID, $server->get('/')->body), "\n";
    $server->stop();
}
$server = new Ferrite\Http\Server('127.0.0.1', 0);
foreach (['a b', 'Host', "a\r\nb", 1] as $name) {
    try {
        $server->set(['request_id_header' => $name]);
    } catch (Throwable $error) {
        echo $error::class, "\n";
    }
}
?>
--EXPECT--
none none
not in the log
11
echoed
own
forged stays in the header
500 found
502 found
400
1
found
found
0
from-the-proxy
Root=1-67891233-abc
1
1
1
1
1
1
0
ValueError
ValueError
ValueError
TypeError
