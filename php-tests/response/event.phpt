--TEST--
event(): server-sent events, each of which leaves at once
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/stream':
            // Goes on only when the client says that it has seen the first event.
            $response->event('first', 'greeting', '1', 3000);
            for ($i = 0; !file_exists(place('seen')) && $i < 2000; $i++) {
                usleep(5000);
            }
            $response->event($i < 2000 ? 'second' : 'never seen');
            return $response->end();
        case '/lines':
            foreach ([["a\nb"], ["a\r\nb\rc\n"], [''], ["\n"], [null], [null, 'type'], [null, null, ''], [null, null, null, 0], [': data', ' e', ' i'], ["\xf0\x9f\x98\x80"], ['4', null, null, '500']] as $event) {
                $response->event(...$event);
            }
            return $response->end();
        case '/refused':
            $refused = [];
            foreach ([['a', "b\nc"], ['a', "b\rc"], ['a', "b\0"], ['a', null, "1\n"], ['a', null, "\0"], ['a', null, null, -1], ['a', null, null, 'soon'], [[]], []] as $event) {
                try {
                    $response->event(...$event);
                } catch (Error $e) {
                    $refused[] = get_class($e) . ': ' . $e->getMessage();
                }
            }
            $response->header('X-Large', str_repeat('x', 300000));
            try {
                $response->event('a');
            } catch (Ferrite\Exception $e) {
                $refused[] = get_class($e);
            }
            $response->header('X-Large', null);
            $refused[] = json_encode($response->header);
            return $response->end(implode("\n", $refused));
        case '/own':
            $response->status(201);
            $response->header('Content-Type', 'text/event-stream; charset=utf-8');
            $response->header('Cache-Control', 'no-store');
            $response->event('a');
            return $response->end("data: b\n\n");
        case '/header':
            $response->event('a');
            tell('header', json_encode([$response->header, $response->isWritable()]));
            $response->end();
            return tell('after', json_encode($response->event('b')));
        case '/behind':
            $response->write("data: a\n\n");
            $response->event('b');
            return $response->end();
    }
    CODE, "'http_compression' => true");

$connection = $server->connect();
$connection->request('GET', '/stream', ['Accept-Encoding' => 'gzip, br, zstd']);
$first = '';
while (!str_ends_with($first, "data: first\n\n\r\n")) {
    $first .= $connection->bytes(1);
}
touch($server->place('seen'));
echo preg_replace('/^(date|server):.*\r\n/mi', '', $first), $connection->bytes(strlen("e\r\ndata: second\n\n\r\n0\r\n\r\n"));
foreach (['/lines', '/refused', '/own', '/header', '/behind'] as $path) {
    echo "-- $path\n";
    show($server->get($path));
}
echo $server->told('header'), ' ';
echo $server->told('after'), "\n-- HEAD\n";
$connection->request('HEAD', '/behind');
show($connection->response('HEAD'));
$connection->request('HEAD', '/own');
show($connection->response('HEAD'));
?>
--EXPECT--
HTTP/1.1 200 OK
Content-Type: text/event-stream
Cache-Control: no-cache
Transfer-Encoding: chunked

2f
event: greeting
id: 1
retry: 3000
data: first


e
data: second


0

-- /lines
200 OK
Content-Type: text/event-stream
Cache-Control: no-cache
Transfer-Encoding: chunked
data: a
data: b

data: a
data: b
data: c
data: 

data: 

data: 
data: 

:

event: type

id: 

retry: 0

event:  e
id:  i
data: : data

data: \360\237\230\200

retry: 500
data: 4

-- /refused
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 883
ValueError: Ferrite\Http\Response::event(): Argument #2 ($event) must not contain CR, LF or NUL
ValueError: Ferrite\Http\Response::event(): Argument #2 ($event) must not contain CR, LF or NUL
ValueError: Ferrite\Http\Response::event(): Argument #2 ($event) must not contain CR, LF or NUL
ValueError: Ferrite\Http\Response::event(): Argument #3 ($id) must not contain CR, LF or NUL
ValueError: Ferrite\Http\Response::event(): Argument #3 ($id) must not contain CR, LF or NUL
ValueError: Ferrite\Http\Response::event(): Argument #4 ($retry) must be greater than or equal to 0
TypeError: Ferrite\Http\Response::event(): Argument #4 ($retry) must be of type ?int, string given
TypeError: Ferrite\Http\Response::event(): Argument #1 ($data) must be of type ?string, array given
ArgumentCountError: Ferrite\Http\Response::event() expects at least 1 argument, 0 given
Ferrite\Exception
null
-- /own
201 Created
Content-Type: text/event-stream; charset=utf-8
Cache-Control: no-store
Transfer-Encoding: chunked
data: a

data: b

-- /header
200 OK
Content-Type: text/event-stream
Cache-Control: no-cache
Transfer-Encoding: chunked
data: a

-- /behind
200 OK
Content-Type: text/html; charset=UTF-8
Vary: Accept-Encoding
Transfer-Encoding: chunked
data: a

data: b

[{"Content-Type":"text\/event-stream","Cache-Control":"no-cache"},true] false
-- HEAD
200 OK
Content-Type: text/html; charset=UTF-8
Vary: Accept-Encoding
201 Created
Content-Type: text/event-stream; charset=utf-8
Cache-Control: no-store
