--TEST--
Bodies in files and connections of an address are bounded; who is within the bounds is served
--FILE--
<?php
require __DIR__ . '/../server.inc';

function server(string $options): TestServer
{
    return TestServer::start(<<<CODE
        \$server->set(['worker_num' => 1, 'reactor_num' => 1, 'body_memory_bytes_max' => 1000, $options]);
        \$server->on('Request', function (\$request, \$response) use (\$server) {
            \$stats = \$request->server['request_uri'] === '/stats';
            \$response->end(\$stats ? json_encode(\$server->stats()) : strlen(\$request->getContent()) . ' bytes');
        });
        CODE);
}

function figure(TestConnection $connection, string $name): int
{
    $connection->request('GET', '/stats');
    return json_decode($connection->response()->body, true)[$name];
}

/** A request of which the first $sent bytes of content have arrived in a file. */
function begun(TestServer $server, TestConnection $watch, int $length, int $sent): TestConnection
{
    $before = figure($watch, 'body_spool_bytes');
    $connection = $server->connect();
    $connection->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: $length\r\n\r\n" . str_repeat('x', $sent));
    wait_until(fn () => figure($watch, 'body_spool_bytes') >= $before + $sent, 'the content is in a file');
    return $connection;
}

function post(TestServer $server, int $length): string
{
    $connection = $server->connect();
    $connection->request('POST', '/', [], str_repeat('x', $length));
    $response = $connection->response();
    return "$response->status " . trim($response->body) . ' Retry-After: ' . ($response->header('Retry-After') ?? 'none') . "\n";
}

echo "files:\n";
$server = server("'body_spool_files_max' => 2");
$watch = $server->connect();
$held = [begun($server, $watch, 5000, 3000), begun($server, $watch, 5000, 3000)];
echo 'a third ', post($server, 3000), 'in memory ', post($server, 1000);
foreach ($held as $connection) {
    $connection->send(str_repeat('x', 2000));
    echo 'held ', $connection->response()->body, "\n";
}
wait_until(fn () => figure($watch, 'body_spool_bytes') === 0, 'nothing is in files');
echo 'then ', post($server, 3000), figure($watch, 'body_spool_refused_count'), " refused\n", $server->stop(), "\n";

echo "bytes:\n";
$server = server("'body_spool_bytes_max' => 8000");
$watch = $server->connect();
$held = begun($server, $watch, 7000, 6000);
echo 'one more ', post($server, 5000), 'in memory ', post($server, 1000);
$held->send(str_repeat('x', 1000));
echo 'held ', $held->response()->body, "\n";
wait_until(fn () => figure($watch, 'body_spool_bytes') === 0, 'nothing is in files');
echo 'then ', post($server, 5000), 'alone too large ', post($server, 9000);
echo figure($watch, 'body_spool_refused_count'), " refused\n", $server->stop(), "\n";

echo "connections:\n";
$server = server("'max_connection_per_address' => 3");
$held = [];
foreach ([1, 2, 3] as $nth) {
    $held[] = $connection = $server->connect();
    $connection->request('GET', '/');
    echo $nth, ' ', $connection->response()->status, "\n";
}
$connection = $server->connect();
try {
    $connection->request('GET', '/');
    echo '4 ', $connection->response()?->status ?? 'closed', "\n";
} catch (RuntimeException) {
    echo "4 closed\n";
}
$other = stream_context_create(['socket' => ['bindto' => '127.0.0.2:0']]);
$socket = stream_socket_client("tcp://127.0.0.1:$server->port", $code, $message, DEADLINE, STREAM_CLIENT_CONNECT, $other);
$other = new TestConnection($socket);
$other->request('GET', '/');
echo 'another address ', $other->response()->status, "\n";
echo figure($held[0], 'address_refused_count') > 0 ? "counted\n" : "not counted\n";
$held[2]->close();
wait_until(function () use ($server) {
    try {
        return $server->get('/')?->status === 200;
    } catch (Throwable) {
        return false;
    }
}, 'there is room again');
echo "room again\n", $server->stop(), "\n";
?>
--EXPECT--
files:
a third 503 503 Service Unavailable Retry-After: 1
in memory 200 1000 bytes Retry-After: none
held 5000 bytes
held 5000 bytes
then 200 3000 bytes Retry-After: none
1 refused
0
bytes:
one more 503 503 Service Unavailable Retry-After: 1
in memory 200 1000 bytes Retry-After: none
held 7000 bytes
then 200 5000 bytes Retry-After: none
alone too large 503 503 Service Unavailable Retry-After: 1
2 refused
0
connections:
1 200
2 200
3 200
4 closed
another address 200
counted
room again
0
