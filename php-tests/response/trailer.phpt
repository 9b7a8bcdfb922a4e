--TEST--
trailer(): fields behind the content, and which fields must not be there
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/write': $response->write('a'); $response->trailer('X-Sum', '1'); return $response->end('b');
        case '/end': $response->trailer('X-Sum', '1'); $response->trailer('x-sum', '2'); return $response->end('ab');
    }
    $refused = [];
    foreach ([['Content-Length', '1'], ['Transfer-Encoding', 'chunked'], ['Host', 'a'], ['Set-Cookie', 'a=b'], ['X A', 'b'], ['X-A', "b\r\nc"]] as $trailer) {
        try {
            $response->trailer(...$trailer);
        } catch (ValueError $e) {
            $refused[] = $e->getMessage();
        }
    }
    $response->end(implode("\n", $refused));
    CODE);
$connection = $server->connect();
foreach (['/write', '/end'] as $path) {
    $connection->request('GET', $path, ['Connection' => 'close', 'TE' => 'trailers']);
    echo preg_replace('/^(date|server|content-type):.*\r\n/mi', '', $connection->rest()), "\n";
    $connection = $server->connect();
}
show($server->get('/refused'));
?>
--EXPECT--
HTTP/1.1 200 OK
Transfer-Encoding: chunked
Connection: close

1
a
1
b
0
X-Sum: 1


HTTP/1.1 200 OK
Transfer-Encoding: chunked
Connection: close

2
ab
0
X-Sum: 2


200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 625
Ferrite\Http\Response::trailer(): Argument #1 ($key) must not be Content-Length, which cannot be a trailer
Ferrite\Http\Response::trailer(): Argument #1 ($key) must not be Transfer-Encoding, which cannot be a trailer
Ferrite\Http\Response::trailer(): Argument #1 ($key) must not be Host, which cannot be a trailer
Ferrite\Http\Response::trailer(): Argument #1 ($key) must not be Set-Cookie, which cannot be a trailer
Ferrite\Http\Response::trailer(): Argument #1 ($key) must be a field name, "X A" is none
Ferrite\Http\Response::trailer(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
