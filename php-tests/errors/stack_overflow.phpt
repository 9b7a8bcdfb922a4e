--TEST--
A worker that runs out of stack: 502 for the request in work, the next one is served
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/deep') {
        $f = function () use (&$f) { return array_map($f, [1]); };
        $f();
    }
    $response->end((string) getmypid());
    CODE, ini: ['memory_limit' => '-1', 'zend.max_allowed_stack_size' => '-1']);
$pid = $server->get('/')->body;
echo $server->get('/deep')->status, "\n";
echo $server->get('/')->body === $pid ? "the same worker\n" : "another worker\n";
echo preg_replace('~pid \d+~', 'pid', logged($server, 'SIGSEGV'));
?>
--EXPECT--
502
another worker
ERROR worker 0 (pid) was killed by signal 11 (SIGSEGV) while it served GET /deep
