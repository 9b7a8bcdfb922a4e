--TEST--
An uncaught exception: 500, one line in the log, nothing of it on the wire, the same worker goes on
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/plain': throw new RuntimeException('went wrong');
        case '/split': $response->header('X-A', 'b'); throw new LogicException("a\r\nSet-Cookie: b=c\r\n\r\nbody");
        case '/ended': $response->end('answer'); throw new RuntimeException('after the end');
        case '/nested':
            try {
                throw new RuntimeException('inner');
            } catch (RuntimeException $e) {
                throw new DomainException('outer', 7, $e);
            }
        case '/custom': throw new class('custom') extends Exception {};
        case '/error': return nothing();
        case '/type': return strlen([]);
        case '/argument': return (function (int $a) {})('x');
        case '/parse': return eval('this is no PHP');
        case '/finally':
            try {
                throw new RuntimeException('before finally');
            } finally {
                $response->header('X-Finally', 'yes');
            }
        case '/own-message': throw new class extends Exception { public function __construct() { $this->message = ['no', 'text']; } };
        case '/generator': foreach ((function () { yield 1; throw new RuntimeException('in a generator'); })() as $one); return;
    }
    CODE);
$pid = $server->get('/pid')->body;
// Since 8.4 the name of a closure says where it was written.
$closure = PHP_VERSION_ID < 80400 ? '{closure}' : '{closure:{closure:server.php:5}:20}';
foreach (['plain', 'split', 'ended', 'nested', 'custom', 'error', 'type', 'argument', 'parse', 'finally', 'own-message', 'generator'] as $case) {
    echo "-- $case\n";
    $response = $server->get("/$case");
    echo $response->status, ' ', $response->status === 200 ? $response->body : json_encode($response->header('x-a') ?? $response->header('x-finally')), "\n";
    echo str_replace($closure, '{the closure}', preg_replace('~/\S+/~', '', logged($server, "GET /$case")));
}
echo substr_count($server->log(), "\n"), " lines, ", $server->get('/pid')->body === $pid ? "the same worker\n" : "another worker\n";
?>
--EXPECT--
-- plain
500 null
ERROR GET /plain: uncaught RuntimeException: went wrong in server.php:8; the client gets 500
-- split
500 null
ERROR GET /split: uncaught LogicException: a\r\nSet-Cookie: b=c\r\n\r\nbody in server.php:9; the client gets 500
-- ended
200 answer
ERROR GET /ended: uncaught RuntimeException: after the end in server.php:10
-- nested
500 null
ERROR GET /nested: uncaught DomainException: outer in server.php:15; the client gets 500
-- custom
500 null
ERROR GET /custom: uncaught Exception@anonymous: custom in server.php:17; the client gets 500
-- error
500 null
ERROR GET /error: uncaught Error: Call to undefined function nothing() in server.php:18; the client gets 500
-- type
500 null
ERROR GET /type: uncaught TypeError: strlen(): Argument #1 ($string) must be of type string, array given in server.php:19; the client gets 500
-- argument
500 null
ERROR GET /argument: uncaught TypeError: {the closure}(): Argument #1 ($a) must be of type int, string given, called in server.php on line 20 in server.php:20; the client gets 500
-- parse
500 null
ERROR GET /parse: uncaught ParseError: syntax error, unexpected identifier "is" in server.php(21) : eval()'d code:1; the client gets 500
-- finally
500 null
ERROR GET /finally: uncaught RuntimeException: before finally in server.php:24; the client gets 500
-- own-message
500 null
ERROR GET /own-message: uncaught Exception@anonymous:  in server.php:28; the client gets 500
-- generator
500 null
ERROR GET /generator: uncaught RuntimeException: in a generator in server.php:29; the client gets 500
12 lines, the same worker
