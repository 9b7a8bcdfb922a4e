--TEST--
A recursion that PHP itself ends: 500, one line in the log, the same worker goes on
--SKIPIF--
<?php
if (PHP_VERSION_ID < 80300) die('skip before 8.3 PHP has no zend.max_allowed_stack_size');
?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/deep') {
        $f = function () use (&$f) { return array_map($f, [1]); };
        $f();
    }
    $response->end((string) getmypid());
    CODE, ini: ['memory_limit' => '-1']);
$pid = $server->get('/')->body;
echo $server->get('/deep')->status, "\n";
echo $server->get('/')->body === $pid ? "the same worker\n" : "another worker\n";
echo preg_replace('~\d{5,}~', 'N', preg_replace('~/\S+/~', '', logged($server, 'GET /deep')));
?>
--EXPECT--
500
the same worker
ERROR GET /deep: uncaught Error: Maximum call stack size of N bytes (zend.max_allowed_stack_size - zend.reserved_stack_size) reached. Infinite recursion? in server.php:7; the client gets 500
