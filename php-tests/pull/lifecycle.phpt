--TEST--
Pull: a reload, max_request and a script that has had enough lose no request; the script cleans up; memory stays flat
--SKIPIF--
<?php extension_loaded('posix') || print 'skip needs posix'; ?>
--FILE--
<?php
require __DIR__ . '/pull.inc';

/** Requests one after another until so many workers have answered; a reload now and then. */
function run(TestServer $server, int $workers, int $reload): void
{
    $connection = $server->connect();
    $seen = [];
    $failed = $sent = $reloads = 0;
    wait_until(function () use ($server, $connection, $reload, $workers, &$seen, &$failed, &$sent, &$reloads) {
        for ($i = 0; $i < 4; $i++) $connection->request('GET', '/');
        for ($i = 0; $i < 4; $i++) {
            $response = $connection->response();
            $failed += $response->status !== 200;
            $seen[$response->body] = true;
            $sent++;
        }
        if ($reload && $sent % $reload === 0 && $reloads++ < 3) {
            $server->signal(SIGUSR1);
        }
        return count($seen) >= $workers;
    }, "$workers workers have served");
    echo $failed === 0 ? "none of the requests has failed\n" : "$failed of $sent have failed\n";
}

$loop = 'while (ferrite_handle_request($handler)); file_put_contents(__DIR__ . "/clean", "x", FILE_APPEND);';
$handler = '$handler = function () { usleep(500); echo getmypid(); };';
foreach ([
    'reload' => [$loop, '', 4, 40],
    'max_request' => [$loop, "'max_request' => 20", 4, 0],
    'enough' => ['for ($i = 0; $i < 20 && ferrite_handle_request($handler); $i++); file_put_contents(__DIR__ . "/clean", "x", FILE_APPEND);', '', 6, 0],
    'one request each' => ['ferrite_handle_request($handler);', '', 4, 0],
] as $name => [$end, $set, $workers, $reload]) {
    echo "$name: ";
    $server = pull("$handler $end", "'worker_num' => 2, 'max_wait_time' => 10" . ($set ? ", $set" : ''));
    run($server, $workers, $reload);
    echo $server->stop(), ' ';
    $server->waitForAll();
    echo preg_match_all('/ERROR/', $server->log()), ' ', preg_match('/has ended after (one request|20 requests)/', $server->log()), "\n";
}

// One whose script does not end is ended.
$server = pull('while (ferrite_handle_request(function () { echo 1; })); while (true) { usleep(1000); ferrite_handle_request(fn () => 1); }', "'max_wait_time' => 0.3");
echo $server->get('/')->body, ' ', $server->stop(), ' ', preg_match('/did not end in time and is killed/', $server->log()), "\n";
// One that fails behind a request is replaced after it has been answered.
$server = pull('while (ferrite_handle_request(function () { echo "answered"; })) throw new LogicException("behind it");', "'php_ini' => ['display_errors' => 0]");
echo $server->get('/')->body, ' ', $server->get('/')->body, "\n";
echo logged($server, 'has failed: Uncaught'), $server->stop(), "\n";

$server = pull('$count = 0; $handler = function () use (&$count) { $count++; ob_start(); session_id("abc"); preg_match("~x" . $count % 50 . "~", "x1"); register_shutdown_function(fn () => null);'
    . ' if (isset($_GET["pid"])) { echo getmypid(); return; } echo $count % 1000; if ($count % 3) { exit; } }; while (ferrite_handle_request($handler));', "'php_ini' => ['memory_limit' => '16M']");
$worker = (int) $server->get('/?pid')->body;
$connection = $server->connect();
$run = function (int $count) use ($connection) {
    for ($i = 0; $i < $count; $i += 50) {
        for ($n = 0; $n < 50; $n++) $connection->request('POST', '/', ['Content-Type' => 'application/x-www-form-urlencoded'], "a=$n");
        for ($n = 0; $n < 50; $n++) $connection->response()->status === 200 || throw new Exception('no 200');
    }
};
$memory = fn () => (int) preg_replace('~.*^RssAnon:\s*(\d+).*~ms', '$1', file_get_contents("/proc/$worker/status"));
$run(2000);
$before = $memory();
$run(8000);
echo $memory() - $before < 128 ? 'flat' : "$before kB, then {$memory()} kB", "\n";
echo (int) $server->get('/?pid')->body === $worker ? "the same worker\n" : "another worker\n";
echo $server->stop(), "\n";
?>
--EXPECTF--
reload: none of the requests has failed
0 0 0
max_request: none of the requests has failed
0 0 0
enough: none of the requests has failed
0 0 1
one request each: none of the requests has failed
0 0 1
1 0 1
answered answered
ERROR worker 0: worker_script %sworker.php has failed: Uncaught LogicException: behind it in %s
0
flat
the same worker
0
