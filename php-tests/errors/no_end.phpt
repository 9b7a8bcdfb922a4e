--TEST--
A handler that returns without end(): 500, whatever status it had set
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/status': $response->status(404); $response->header('X-A', 'b'); return;
        case '/value': return 'hello';
        case '/method': return $response->getStatusCode();
    }
    CODE);
foreach (['/', '/status', '/value', '/method'] as $path) {
    show($server->get($path));
    echo logged($server, "GET $path");
}
show($server->request('HEAD', '/'));
?>
--EXPECT--
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
WARN GET /: the handler has returned without end(); the client gets 500
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
WARN GET /status: the handler has returned without end(); the client gets 500
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
WARN GET /value: the handler has returned without end(); the client gets 500
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
WARN GET /method: the handler has returned without end(); the client gets 500
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
