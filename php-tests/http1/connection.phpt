--TEST--
Connection: close of the handler's is honoured; what else it says about the connection is not
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    match ($request->server['request_uri']) {
        '/close' => $response->header('Connection', 'close'),
        '/keep' => $response->header('Connection', 'keep-alive, X-Hop') && $response->header('Keep-Alive', 'timeout=5'),
        '/chunked' => $response->header('Transfer-Encoding', 'chunked'),
        '/both' => $response->header('Transfer-Encoding', 'chunked') && $response->header('Content-Length', '2'),
        default => null,
    };
    $response->end('ok');
    CODE);

$connection = $server->connect();
foreach (['/', '/keep', '/chunked', '/both', '/close'] as $path) {
    $connection->request('GET', $path);
    $response = $connection->response();
    echo $path, ': ', preg_replace('/^(HTTP|Date|Server|Content-Type).*\r\n/m', '', $response->head), $response->body, "\n";
}
echo json_encode($connection->rest()), " then closed\n";
?>
--EXPECT--
/: Content-Length: 2

ok
/keep: Content-Length: 2

ok
/chunked: Content-Length: 2

ok
/both: Content-Length: 2

ok
/close: Content-Length: 2
Connection: close

ok
"" then closed
