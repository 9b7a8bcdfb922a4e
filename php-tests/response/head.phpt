--TEST--
HEAD, 204, 205 and 304 never carry content, whatever the handler sends
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $response->status((int) ($request->get['status'] ?? 200));
    if (isset($request->get['length'])) {
        $response->header('Content-Length', $request->get['length']);
    }
    switch ($request->server['request_uri']) {
        case '/end': return $response->end('12345');
        case '/empty': return $response->end();
        case '/write': $response->write('123'); return $response->end('45');
        case '/file': file_put_contents(place('file.txt'), 'file content'); return $response->sendfile(place('file.txt'));
    }
    CODE);

// All on one connection: content that nobody expects would be taken for the next response.
$connection = $server->connect();
foreach (['HEAD' => ['/end', '/empty', '/write', '/file', '/empty?length=77', '/end?length=5', '/write?length=5'],
    'GET' => ['/end?status=204', '/write?status=204', '/empty?status=204', '/end?status=205', '/write?status=205', '/end?status=304',
        '/empty?status=304&length=77', '/write?status=304', '/end']] as $method => $targets) {
    foreach ($targets as $target) {
        echo "-- $method $target\n";
        $connection->request($method, $target);
        // The helper does not know that 205 has a length of 0 by definition; it says so itself.
        $response = $connection->response($method);
        $response->head = preg_replace("/^(etag|last-modified):.*\r\n/mi", "", $response->head);
        show($response);
    }
}
?>
--EXPECT--
-- HEAD /end
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
-- HEAD /empty
200 OK
-- HEAD /write
200 OK
Content-Type: text/html; charset=UTF-8
-- HEAD /file
200 OK
Content-Type: text/plain; charset=utf-8
Accept-Ranges: bytes
Content-Length: 12
-- HEAD /empty?length=77
200 OK
Content-Length: 77
-- HEAD /end?length=5
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
-- HEAD /write?length=5
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
-- GET /end?status=204
204 No Content
-- GET /write?status=204
204 No Content
-- GET /empty?status=204
204 No Content
-- GET /end?status=205
205 Reset Content
Content-Length: 0
-- GET /write?status=205
205 Reset Content
Content-Length: 0
-- GET /end?status=304
304 Not Modified
-- GET /empty?status=304&length=77
304 Not Modified
Content-Length: 77
-- GET /write?status=304
304 Not Modified
-- GET /end
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
