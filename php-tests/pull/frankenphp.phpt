--TEST--
Pull: with frankenphp_alias, scripts run unchanged that were written for FrankenPHP, as Symfony's runner and Octane's worker are
--FILE--
<?php
require __DIR__ . '/pull.inc';

// As a runner of a kernel: the environment of the start is merged into that of the request, the kernel is
// told of the end behind the response.
$server = pull(<<<'PHP'
    if (!($_SERVER['FRANKENPHP_WORKER'] ?? false)) { exit('no worker'); }
    ignore_user_abort(true);
    $_SERVER['APP_SECRET'] = 'of the start';
    $server = array_filter($_SERVER, static fn (string $key) => !str_starts_with($key, 'HTTP_'), ARRAY_FILTER_USE_KEY);
    $server['APP_RUNTIME_MODE'] = 'web=1&worker=1';
    class Kernel { public array $ended = []; function handle() { header('X-Test: 1'); return json_encode([$_SERVER['APP_RUNTIME_MODE'], $_SERVER['APP_SECRET'], $_SERVER['REQUEST_URI'], $_SERVER['FRANKENPHP_WORKER'], $_SERVER['HTTP_X_USER'] ?? null, $this->ended, frankenphp_request_headers()['X-User'] ?? null]); } }
    $kernel = new Kernel();
    $response = null;
    $handler = function () use ($kernel, $server, &$response): void {
        $_SERVER += $server;
        $response = $kernel->handle();
        echo $response;
        if (isset($_GET['finish'])) { frankenphp_finish_request(); echo 'never seen'; }
    };
    $loops = 0;
    do {
        $again = \frankenphp_handle_request($handler);
        if ($response !== null) { $kernel->ended[] = strlen($response); }
        gc_collect_cycles();
    } while ($again && ++$loops < 3);
    PHP, "'frankenphp_alias' => true");
foreach ([['/a', ['X-User' => 'ann']], ['/b?finish', []], ['/c', ['X-User' => 'bob']], ['/d', []]] as [$path, $fields]) {
    show($server->get($path, $fields));
}
echo $server->stop(), "\n";

putenv('FERRITE_TEST_UNDER=env MAX_REQUESTS=4');
// As a worker of an application: it counts by itself, answers what is thrown, and ends in a finally.
$server = pull(<<<'PHP'
    if ((!($_SERVER['FRANKENPHP_WORKER'] ?? false)) || !function_exists('frankenphp_handle_request')) { echo 'no worker'; exit(1); }
    ignore_user_abort(true);
    $count = 0;
    $max = $_ENV['MAX_REQUESTS'] ?? $_SERVER['MAX_REQUESTS'] ?? 1000;
    set_time_limit((int) ($_SERVER['REQUEST_MAX_EXECUTION_TIME'] ?? 5));
    try {
        $handle = static function () {
            try {
                if (isset($_GET['throw'])) { throw new RuntimeException($_GET['throw']); }
                if (isset($_GET['exit'])) { exit("exit {$_GET['exit']}"); }
                echo getmypid(), ' ', ini_get('max_execution_time');
            } catch (Throwable $error) {
                http_response_code(500);
                echo 'error: ', $error->getMessage();
            }
        };
        while ($count < $max && frankenphp_handle_request($handle)) {
            $count++;
        }
    } finally {
        file_put_contents(__DIR__ . '/terminated', "$count\n", FILE_APPEND);
        gc_collect_cycles();
    }
    PHP, "'frankenphp_alias' => true, 'max_wait_time' => 10");
putenv('FERRITE_TEST_UNDER');
$pids = [];
for ($i = 0; $i < 3; $i++) {
    echo $server->get('/?throw=x')->body, ', ', $server->get('/?exit=y')->body, "\n";
    for ($n = 0; $n < 2; $n++) {
        [$pid, $limit] = explode(' ', $server->get('/')->body);
        $pids[$pid] = $limit;
    }
}
echo count($pids), ' ', implode(' ', array_unique($pids)), ' ', preg_match_all('/WARN|ERROR/', $server->log()), ' ', $server->stop(), "\n";

// Without it there is nothing of that.
$server = pull('while (ferrite_handle_request(function () { echo json_encode([function_exists("frankenphp_handle_request"), function_exists("frankenphp_finish_request"), isset($_SERVER["FRANKENPHP_WORKER"])]); }));');
echo $server->get('/')->body, ' ', $server->stop(), "\n";
?>
--EXPECT--
200 OK
X-Test: 1
Content-Type: text/html; charset=UTF-8
Content-Length: 58
["web=1&worker=1","of the start","\/a","1","ann",[],"ann"]
200 OK
X-Test: 1
Content-Type: text/html; charset=UTF-8
Content-Length: 65
["web=1&worker=1","of the start","\/b?finish","1",null,[58],null]
200 OK
X-Test: 1
Content-Type: text/html; charset=UTF-8
Content-Length: 63
["web=1&worker=1","of the start","\/c","1","bob",[58,65],"bob"]
200 OK
X-Test: 1
Content-Type: text/html; charset=UTF-8
Content-Length: 56
["web=1&worker=1","of the start","\/d","1",null,[],null]
0
error: x, exit y
error: x, exit y
error: x, exit y
3 5 0 0
[false,false,false] 0
