--TEST--
script: a fatal error, exhausted memory or a timeout costs the request; the worker goes on
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    final class Kept { public static $value = 0; }
    switch ($_GET['case'] ?? '') {
        case 'undefined': undefined_function();
        case 'thrown': throw new LogicException('thrown here');
        case 'user': trigger_error('given up', E_USER_ERROR);
        case 'memory': $all = []; for (;;) { $all[] = str_repeat('x', 1 << 16); }
        case 'time': set_time_limit(1); for (;;);
        case 'printed': echo str_repeat('x', 1000); flush(); undefined_function();
        case 'caught': set_exception_handler(function ($error) { http_response_code(409); echo get_class($error); }); throw new LogicException();
        case 'shutdown': register_shutdown_function(function () { $type = error_get_last()['type']; http_response_code(503); echo $type; }); undefined_function();
        default: echo getmypid(), ' ', ++Kept::$value;
    }
    PHP, 'broken.php' => '<?php echo 1; syntax error'], "'php_ini' => ['display_errors' => 0, 'memory_limit' => '16M']");
$first = $server->get('/')->body;
foreach (['undefined', 'thrown', 'user', 'memory', 'time', 'caught', 'shutdown'] as $case) {
    $response = $server->get("/?case=$case");
    echo "$case: $response->status ", var_export($response->body, true), "\n";
    echo $server->get('/')->body === $first ? '' : "another worker\n";
}
$response = $server->get('/broken.php');
echo "broken: $response->status ", var_export($response->body, true), "\n";
$response = $server->get('/?case=printed');
echo "printed: $response->status ", strlen($response->body), "\n";
foreach (['undefined function', 'thrown here', 'given up', 'exhausted', 'Maximum execution time', 'syntax error'] as $text) {
    echo preg_replace('~ in /.*(?=;)| \(tried.*~', '', logged($server, $text));
}
echo $server->get('/')->body === $first ? "the same worker\n" : "another worker\n";
echo $server->stop(), "\n";
?>
--EXPECT--
undefined: 500 ''
thrown: 500 ''
user: 500 ''
memory: 500 ''
time: 500 ''
caught: 409 'LogicException'
shutdown: 503 '1'
broken: 500 ''
printed: 200 1000
ERROR GET /: Uncaught Error: Call to undefined function undefined_function(); the client gets 500
ERROR GET /: Uncaught LogicException: thrown here; the client gets 500
ERROR GET /: given up; the client gets 500
ERROR GET /: Allowed memory size of 16777216 bytes exhausted
ERROR GET /: Maximum execution time of 1 second exceeded; the client gets 500
ERROR GET /broken.php: syntax error, unexpected identifier "error"; the client gets 500
the same worker
0
