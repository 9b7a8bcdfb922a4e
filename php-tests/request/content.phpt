--TEST--
rawContent(), getContent(), getData(), getMethod(), isCompleted()
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/md5': return $response->end(md5($request->rawContent()) . ' ' . md5($request->getContent()));
        case '/echo': return $response->end($request->rawContent());
        case '/data': return $response->end($request->getData());
        case '/memory':
            $before = memory_get_usage();
            $a = $request->rawContent();
            $b = $request->rawContent();
            return $response->end((string) round((memory_get_usage() - $before) / strlen($a)));
        case '/arguments':
            try { $request->rawContent(1); } catch (ArgumentCountError $e) { return $response->end($e->getMessage()); }
    }
    $response->end(var_export([$request->rawContent(), $request->getMethod(), $request->isCompleted()], true));
    CODE, "'package_max_length' => 64 << 20");

echo $server->get('/')->body, "\n";
echo $server->request('DELETE', '/', [], "a\0b")->body, "\n";
echo $server->request('POST', '/data?a=b', ['X-A' => 'c'], "content")->body, "\n";
foreach ([1, 1000, 65536, 300000, 1048576, 5000000] as $size) {
    $body = random_bytes($size);
    echo $size, ' ', $server->request('POST', '/md5', [], $body)->body === md5($body) . ' ' . md5($body) ? 'ok' : 'failed';
    echo ' ', $server->request('POST', '/echo', [], $body)->body === $body ? 'ok' : 'failed', "\n";
}
echo $server->request('POST', '/memory', [], str_repeat('x', 60000))->body, "\n";
echo $server->get('/arguments')->body, "\n";

$connection = $server->connect();
$connection->send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
echo $connection->response()->body, "\n";
?>
--EXPECT--
array (
  0 => '',
  1 => 'GET',
  2 => true,
)
array (
  0 => 'a' . "\0" . 'b',
  1 => 'DELETE',
  2 => true,
)
POST /data?a=b HTTP/1.1
host: localhost
x-a: c
connection: close
content-length: 7

content
1 ok ok
1000 ok ok
65536 ok ok
300000 ok ok
1048576 ok ok
5000000 ok ok
1
Ferrite\Http\Request::rawContent() expects exactly 0 arguments, 1 given
abcde
