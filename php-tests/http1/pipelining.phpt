--TEST--
Pipelined requests are answered in order: small after large, after a body, over several workers
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 3, 'reactor_num' => 2]);
    $server->on('Request', function ($request, $response) {
        [, $kind, $number] = explode('/', $request->server['request_uri']);
        match ($kind) {
            'large' => $response->end($number . str_repeat('x', 3000000)),
            'slow' => usleep(100000) ?? $response->end($number),
            'stream' => $response->write($number) && $response->write('-') && $response->end('end'),
            'body' => $response->end($number . ':' . $request->rawContent()),
            'fail' => throw new Exception($number),
            default => $response->end($number),
        };
    });
    CODE);

$kinds = ['slow', 'large', 'small', 'stream', 'body', 'small', 'large', 'fail', 'slow', 'chunked', 'small', 'stream', 'small'];
$sent = '';
foreach ($kinds as $number => $kind) {
    $sent .= match ($kind) {
        'body' => "POST /body/$number HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\nGET / HTTP/1.1\r\n\r\nx",
        'chunked' => "POST /body/$number HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        default => "GET /$kind/$number HTTP/1.1\r\nHost: a\r\n\r\n",
    };
}
$connection = $server->connect();
$connection->send($sent);
foreach ($kinds as $kind) {
    $response = $connection->response();
    echo $kind, ' ', $response->status, ' ', strlen($response->body) > 100 ? strlen($response->body) . ' ' . rtrim($response->body, 'x') : json_encode($response->body), "\n";
}
?>
--EXPECT--
slow 200 "0"
large 200 3000001 1
small 200 "2"
stream 200 "3-end"
body 200 "4:GET \/ HTTP\/1.1\r\n\r\nx"
small 200 "5"
large 200 3000001 6
fail 500 "500 Internal Server Error\n"
slow 200 "8"
chunked 200 "9:hello"
small 200 "10"
stream 200 "11-end"
small 200 "12"
