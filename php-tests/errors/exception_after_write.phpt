--TEST--
An exception or exit() after write(): the response breaks off, so that the client can tell
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $path = $request->server['request_uri'];
    if ($path === '/fine') {
        return $response->end('fine');
    }
    if ($path === '/length') {
        $response->header('Content-Length', '100');
    }
    $response->write('the beginning');
    match ($path) {
        '/exit' => exit(),
        '/return' => null,
        default => throw new RuntimeException('went wrong'),
    };
    CODE);
foreach (['/throw', '/length', '/exit', '/return'] as $path) {
    echo "-- $path\n";
    $connection = $server->connect();
    $connection->request('GET', $path);
    show($connection->response());
    echo json_encode($connection->rest()), " then closed\n";
    echo preg_replace('~/\S+/~', '', logged($server, "GET $path"));
}
echo $server->get('/fine')->body, "\n";
?>
--EXPECT--
-- /throw
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the beginning
(broken off)
"" then closed
ERROR GET /throw: uncaught RuntimeException: went wrong in server.php:17; the response breaks off
-- /length
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 100
the beginning
(broken off)
"" then closed
ERROR GET /length: uncaught RuntimeException: went wrong in server.php:17; the response breaks off
-- /exit
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the beginning
(broken off)
"" then closed
WARN GET /exit: exit() before the response was ended; the response breaks off
-- /return
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the beginning
(broken off)
"" then closed
WARN GET /return: the handler has returned without end(); the response breaks off
fine
