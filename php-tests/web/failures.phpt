--TEST--
Web: a fatal error costs the request and the worker; other callbacks beside it stay what they are; memory stays flat
--FILE--
<?php
require __DIR__ . '/web.inc';

$server = web(<<<'PHP'
    switch ($_GET['case'] ?? '') {
        case 'memory': $all = []; for (;;) { $all[] = str_repeat('x', 1 << 16); }
        case 'time': set_time_limit(1); for (;;);
        case 'user': trigger_error('given up', E_USER_ERROR);
        case 'printed': echo str_repeat('x', 1000); flush(); trigger_error('after output', E_USER_ERROR);
        case 'work': ob_start(); session_id('abc'); preg_match('~x' . $count % 50 . '~', 'x1'); register_shutdown_function(fn () => null); echo $count % 1000; if ($count % 3) { exit; } break;
        default: echo getmypid(), ' ', $count;
    }
    PHP, "'php_ini' => ['display_errors' => 0, 'memory_limit' => '16M']", <<<'PHP'
    $plain = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP);
    $plain->on('Request', function ($request, $response) { echo "to standard output\n"; $response->end(json_encode([$request->get, isset($_GET['x'])])); });
    PHP);
foreach (['memory', 'time', 'user', 'printed'] as $case) {
    $before = $server->get('/')->body;
    $response = $server->get("/?case=$case");
    echo "$case: $response->status ", strlen($response->body), "\n";
    wait_until(fn () => explode(' ', $server->get('/')->body)[0] !== explode(' ', $before)[0], 'the worker is replaced');
}
echo $server->get('/?x=1')->status, ' ', $server->get('/?y=2', port: $server->ports[1])->body, "\n";
$worker = (int) $server->get('/')->body;
$connection = $server->connect();
$run = function (int $count) use ($connection) {
    for ($i = 0; $i < $count; $i += 50) {
        for ($n = 0; $n < 50; $n++) $connection->request('POST', '/?case=work', ['Content-Type' => 'application/x-www-form-urlencoded'], "a=$n");
        for ($n = 0; $n < 50; $n++) $connection->response()->status === 200 || throw new Exception('no 200');
    }
};
$memory = fn () => (int) preg_replace('~.*^RssAnon:\s*(\d+).*~ms', '$1', file_get_contents("/proc/$worker/status"));
$run(2000);
$before = $memory();
$run(8000);
echo $memory() - $before < 128 ? 'flat' : "$before kB, then {$memory()} kB", "\n";
echo (int) $server->get('/')->body === $worker ? "the same worker\n" : "another worker\n";
echo $server->stop(), "\n";
try {
    (new Ferrite\Http\Web(fn () => 1))();
} catch (Ferrite\Exception $error) {
    echo $error->getMessage(), "\n";
}
try {
    new Ferrite\Http\Web('no function');
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
?>
--EXPECT--
memory: 500 0
time: 500 0
user: 500 0
printed: 200 1000
200 [{"y":"2"},false]
flat
the same worker
0
A Web callback is called by the server: pass the object to on('Request', …)
Ferrite\Http\Web::__construct(): Argument #1 ($callback) must be a valid callback, function "no function" not found or invalid function name
