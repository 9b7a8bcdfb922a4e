--TEST--
A client of HTTP/1.0 gets no chunks, and keep-alive only when it asks
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/stream') {
        $response->write('a');
        $response->trailer('X-Sum', '1');
        return $response->end('b');
    }
    $response->end($request->server['server_protocol']);
    CODE);

function answer(TestConnection $connection): void
{
    echo preg_replace('/^(Date|Server|Content-Type):.*\r\n/m', '', $connection->rest()), "\n--\n";
}

foreach (['/', '/stream'] as $path) {
    foreach (['', "Connection: keep-alive\r\n"] as $field) {
        $connection = $server->connect();
        $connection->send("GET $path HTTP/1.0\r\n$field\r\n");
        if ($path === '/' && $field !== '') {
            $connection->send("GET / HTTP/1.0\r\n\r\n");
        }
        answer($connection);
    }
}
?>
--EXPECT--
HTTP/1.1 200 OK
Content-Length: 8
Connection: close

HTTP/1.0
--
HTTP/1.1 200 OK
Content-Length: 8
Connection: keep-alive

HTTP/1.0HTTP/1.1 200 OK
Content-Length: 8
Connection: close

HTTP/1.0
--
HTTP/1.1 200 OK
Connection: close

ab
--
HTTP/1.1 200 OK
Connection: close

ab
--
