--TEST--
write() streams: every piece leaves at once
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/stream':
            // Goes on only when the client says that it has seen the first piece.
            $response->write('first,');
            for ($i = 0; !file_exists(place('seen')) && $i < 2000; $i++) {
                usleep(5000);
            }
            $response->write('second,');
            return $response->end($i < 2000 ? 'last' : 'never seen');
        case '/empty':
            $seen = [$response->write(''), error_get_last(), $response->status(202), $response->header('X-Later', '1')];
            $response->write('');
            $response->end(json_encode($seen));
            return tell('ended', json_encode($response->write('')));
        case '/plain-end':
            $response->write('a');
            return $response->end();
        case '/large':
            for ($i = 0; $i < 100; $i++) {
                $response->write(str_repeat(chr(65 + $i % 26), 50000));
            }
            return $response->end();
        case '/binary':
            $response->write("\0\r\n0\r\n\r\n");
            return $response->end("\xff");
    }
    CODE);

$connection = $server->connect();
$connection->request('GET', '/stream');
$first = '';
while (!str_ends_with($first, "first,\r\n")) {
    $first .= $connection->bytes(1);
}
touch($server->place('seen'));
echo substr($first, strpos($first, "\r\n\r\n") + 4), $connection->bytes(strlen("7\r\nsecond,\r\n4\r\nlast\r\n0\r\n\r\n"));
$connection->request('GET', '/plain-end');
show($connection->response());
show($server->get('/empty'));
$server->get('/binary');
echo 'after end(): ', $server->told('ended'), "\n";
show($server->get('/binary'));
$large = $server->get('/large');
var_dump(strlen($large->body), md5($large->body) === md5(implode('', array_map(fn ($i) => str_repeat(chr(65 + $i % 26), 50000), range(0, 99)))));
?>
--EXPECT--
6
first,
7
second,
4
last
0

200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
a
202 Accepted
X-Later: 1
Content-Type: text/html; charset=UTF-8
Content-Length: 21
[true,null,true,true]
after end(): false
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
\000\r
0\r
\r
\377
int(5000000)
bool(true)
