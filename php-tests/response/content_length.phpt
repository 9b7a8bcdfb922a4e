--TEST--
A Content-Length that is not the content's is an exception, never a broken connection
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $caught = function (callable $call) {
        try {
            return json_encode($call());
        } catch (Ferrite\Exception $e) {
            return $e->getMessage();
        }
    };
    $response->header('Content-Length', '5');
    switch ($request->server['request_uri']) {
        case '/right': return $response->end('12345');
        case '/wrong': return $response->end('1234567');
        case '/short': return $response->end('123');
        case '/repaired':
            $message = $caught(fn () => $response->end('1234567'));
            $response->header('Content-Length', null);
            return $response->end($message);
        case '/stream': $response->write('12'); $response->write('34'); return $response->end('5');
        case '/stream-exact': $response->write('12345'); return $response->end();
        case '/stream-more':
            $response->write('123');
            tell('more', $caught(fn () => $response->write('456')) . "\n" . $caught(fn () => $response->end('456')));
            return $response->end('45');
        case '/stream-less':
            $response->write('123');
            tell('less', $caught(fn () => $response->end('4')) . "\n" . $caught(fn () => $response->end('45')));
            return;
        case '/stream-short': $response->write('123'); return $response->end('4');
        case '/stream-at-once': return $response->write('1234567');
        case '/stream-forgotten': $response->write('123'); return;
    }
    CODE);

foreach (['right', 'wrong', 'short', 'repaired', 'stream', 'stream-exact', 'stream-more', 'stream-less', 'stream-short', 'stream-at-once', 'stream-forgotten'] as $path) {
    echo "-- $path\n";
    show($server->get("/$path"));
}
echo $server->told('more'), "\n", $server->told('less'), "\n";
foreach (['/wrong', '/short', '/stream-short', '/stream-at-once', '/stream-forgotten'] as $path) {
    echo preg_replace('~ in /.*:\d+~', ' in FILE', logged($server, "GET $path"));
}

// The connection itself stays sound.
$connection = $server->connect();
foreach (['/right', '/wrong', '/right'] as $path) {
    $connection->request('GET', $path);
    echo $connection->response()->status, ' ';
}
?>
--EXPECT--
-- right
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
-- wrong
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- short
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- repaired
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 50
Content-Length says 5, but the content has 7 bytes
-- stream
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
-- stream-exact
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
-- stream-more
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
-- stream-less
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
12345
-- stream-short
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
123
(broken off)
-- stream-at-once
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- stream-forgotten
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 5
123
(broken off)
3 bytes of content are more than the 2 that Content-Length leaves
3 bytes of content are more than the 2 that Content-Length leaves
Content-Length says 5, but the content ends after 4 bytes
true
ERROR GET /wrong: uncaught Ferrite\Exception: Content-Length says 5, but the content has 7 bytes in FILE; the client gets 500
ERROR GET /short: uncaught Ferrite\Exception: Content-Length says 5, but the content has 3 bytes in FILE; the client gets 500
ERROR GET /stream-short: uncaught Ferrite\Exception: Content-Length says 5, but the content ends after 4 bytes in FILE; the response breaks off
ERROR GET /stream-at-once: uncaught Ferrite\Exception: 7 bytes of content are more than the 5 that Content-Length leaves in FILE; the client gets 500
WARN GET /stream-forgotten: the handler has returned without end(); the response breaks off
200 500 200
