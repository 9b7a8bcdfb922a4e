--TEST--
Fatal errors: 500, one line in the log that names the request, a new worker serves the next one
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/user': trigger_error('given up', E_USER_ERROR);
        case '/compile': eval('class Twice {} class Twice {}'); break;
        case '/inherit': eval('final class F {} class G extends F {}'); break;
        case '/abstract': eval('interface I { function m(); } class C implements I {}'); break;
        case '/ended': $response->end('answer'); trigger_error('after the end', E_USER_ERROR);
        case '/written': $response->write('the beginning'); trigger_error('after write', E_USER_ERROR);
        case '/destructor': $GLOBALS['d'] = new class { function __destruct() { trigger_error('in a destructor', E_USER_ERROR); } };
            $response->end('answer'); unset($GLOBALS['d']); break;
    }
    CODE, ini: ['display_errors' => 0, 'log_errors' => 0]);
// Since 8.4 PHP says it with the place of the first one.
$twice = PHP_VERSION_ID < 80400
    ? 'Cannot declare class Twice, because the name is already in use'
    : "Cannot redeclare class Twice (previously declared in server.php(9) : eval()'d code:1)";
foreach (['user', 'compile', 'inherit', 'abstract', 'ended', 'written', 'destructor'] as $case) {
    $pid = $server->get('/pid')->body;
    echo "-- $case\n";
    show($server->get("/$case"));
    echo str_replace($twice, '(class Twice is declared twice)', preg_replace('~/\S+/~', '', logged($server, "GET /$case")));
    $next = $server->get('/pid');
    echo $next->status, $next->body === $pid ? " the same worker\n" : " another worker\n";
}
?>
--EXPECTF--
-- user
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /user: given up in server.php:8; the client gets 500; the worker is replaced
200 another worker
-- compile
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /compile: (class Twice is declared twice) in server.php(9) : eval()'d code:1; the client gets 500; the worker is replaced
200 another worker
-- inherit
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /inherit: Class G cannot extend final class F in server.php(10) : eval()'d code:1; the client gets 500; the worker is replaced
200 another worker
-- abstract
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
ERROR GET /abstract: Class C contains 1 abstract method and must therefore be declared abstract or implement the remaining method%S (I::m) in server.php(11) : eval()'d code:1; the client gets 500; the worker is replaced
200 another worker
-- ended
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 6
answer
ERROR GET /ended: after the end in server.php:12; the worker is replaced
200 another worker
-- written
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the beginning
(broken off)
ERROR GET /written: after write in server.php:13; the response breaks off; the worker is replaced
200 another worker
-- destructor
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 6
answer
ERROR GET /destructor: in a destructor in server.php:14; the worker is replaced
200 another worker
