--TEST--
end(): once, with or without content; afterwards every method returns false
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    class Text { function __toString(): string { return 'text'; } }
    $server->on('Request', function ($request, $response) {
        $path = $request->server['request_uri'];
        if ($path === '/after') {
            $response->end('first');
            $GLOBALS['after'] = [
                $response->end('second'), $response->write('a'), $response->header('a', 'b'), $response->status(404),
                $response->cookie('a', 'b'), $response->redirect('/'), $response->sendfile('/etc/passwd'),
                $response->trailer('a', 'b'), $response->isWritable(), $response->initHeader(),
            ];
            return;
        }
        match ($path) {
            '/told' => $response->end(json_encode($GLOBALS['after'])),
            '/nothing' => $response->end(),
            '/null' => $response->end(null),
            '/empty' => $response->end(''),
            '/int' => $response->end(42),
            '/float' => $response->end(1.5),
            '/object' => $response->end(new Text()),
            '/array' => $response->end(['a']),
            '/two' => $response->end('a', 'b'),
            '/binary' => $response->end("a\0b\r\n\r\n"),
            '/large' => $response->end(str_repeat('0123456789abcdef', 1 << 20)),
        };
    });
    CODE);

foreach (['after', 'told', 'nothing', 'null', 'empty', 'int', 'float', 'object', 'array', 'two', 'binary'] as $path) {
    echo "-- $path\n";
    show($server->get("/$path"));
}
$large = $server->get('/large')->body;
var_dump($large === str_repeat('0123456789abcdef', 1 << 20));
echo preg_replace('~ in /.*~', '', logged($server, '/array') . logged($server, '/two'));
?>
--EXPECT--
-- after
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
first
-- told
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 61
[false,false,false,false,false,false,false,false,false,false]
-- nothing
200 OK
Content-Length: 0
-- null
200 OK
Content-Length: 0
-- empty
200 OK
Content-Length: 0
-- int
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 2
42
-- float
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 3
1.5
-- object
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 4
text
-- array
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- two
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- binary
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 7
a\000b\r
\r
bool(true)
ERROR GET /array: uncaught TypeError: Ferrite\Http\Response::end(): Argument #1 ($content) must be of type ?string, array given
ERROR GET /two: uncaught ArgumentCountError: Ferrite\Http\Response::end() expects at most 1 argument, 2 given
