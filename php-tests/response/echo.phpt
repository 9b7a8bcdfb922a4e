--TEST--
What a handler prints goes to standard output, never to the client
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    header('X-A: b');
    setcookie('a', 'b');
    http_response_code(404);
    echo "HTTP/1.1 200 OK\r\n\r\n";
    print_r(['a' => 1]);
    ob_start();
    echo "still in a buffer\n";
    ob_start(fn ($text) => strtoupper($text));
    echo "in two\n";
    $response->end('hello ' . ob_get_level() . ' ' . count(headers_list()));
    CODE);
$connection = $server->connect();
foreach ([1, 2] as $time) {
    $connection->request('GET', '/');
    show($connection->response());
}
echo $server->stop(), "\n", str_replace("\r", '', $server->out());
?>
--EXPECT--
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 9
hello 2 0
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 9
hello 2 0
0
HTTP/1.1 200 OK

Array
(
    [a] => 1
)
still in a buffer
IN TWO
HTTP/1.1 200 OK

Array
(
    [a] => 1
)
still in a buffer
IN TWO
