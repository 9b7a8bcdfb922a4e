--TEST--
An exhausted memory limit: 500, the log says where, a new worker serves the next request
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/string': return $response->end(str_repeat('x', 100 << 20));
        case '/array': for ($a = []; ; ) $a[] = str_repeat('x', 1000);
        case '/recursion': $f = function () use (&$f) { return $f() + 1; }; return $f();
        case '/content': return $response->end($request->rawContent() . $request->rawContent());
        case '/written': $response->write('the beginning'); return str_repeat('x', 100 << 20);
    }
    CODE, "'package_max_length' => 32 << 20", ['memory_limit' => '16M', 'display_errors' => 0, 'log_errors' => 0]);
foreach (['string', 'array', 'recursion', 'content', 'written'] as $case) {
    $pid = $server->get('/pid')->body;
    echo "-- $case\n";
    show($case === 'content' ? $server->request('POST', '/content', [], str_repeat('x', 20 << 20)) : $server->get("/$case"));
    echo preg_replace(['~/\S+/~', '~\(tried.*?\)~'], ['', '(…)'], logged($server, " /$case"));
    $next = $server->get('/pid');
    echo $next->status, $next->body === $pid ? " the same worker\n" : " another worker\n";
}
?>
--EXPECT--
-- string
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /string: Allowed memory size of 16777216 bytes exhausted (…) in server.php:8; the client gets 500; the worker is replaced
200 another worker
-- array
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /array: Allowed memory size of 16777216 bytes exhausted (…) in server.php:9; the client gets 500; the worker is replaced
200 another worker
-- recursion
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /recursion: Allowed memory size of 16777216 bytes exhausted (…) in server.php:10; the client gets 500; the worker is replaced
200 another worker
-- content
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR POST /content: Allowed memory size of 16777216 bytes exhausted (…) in server.php:11; the client gets 500; the worker is replaced
200 another worker
-- written
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the beginning
(broken off)
ERROR GET /written: Allowed memory size of 16777216 bytes exhausted (…) in server.php:12; the response breaks off; the worker is replaced
200 another worker
