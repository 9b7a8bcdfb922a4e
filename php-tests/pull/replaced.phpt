--TEST--
Pull: a worker that dies in a request or between two is replaced and told of; one that works between two requests holds up none; a reload to a script that does not start changes nothing
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/pull.inc';

$server = pull(<<<'PHP'
    $handler = function () {
        if (isset($_GET['dies'])) { posix_kill(getmypid(), SIGKILL); }
        echo 'alive';
    };
    while (ferrite_handle_request($handler)) {
        switch ($_GET['ends'] ?? '') {
            case 'fatal': undefined_function();
            case 'memory': ini_set('memory_limit', '8M'); $all = []; for (;;) { $all[] = str_repeat('x', 1 << 16); }
            case 'code': exit(3);
            case 'killed': posix_kill(getmypid(), SIGKILL);
        }
    }
    PHP, "'php_ini' => ['display_errors' => 0]", "\$server->on('WorkerError', function (\$server, \$worker, \$pid, \$code, \$signal) { file_put_contents(place('told'), \"\$worker \$code \$signal, \", FILE_APPEND); });");
foreach (['dies=within', 'ends=fatal', 'ends=memory', 'ends=code', 'ends=killed'] as $query) {
    $response = $server->get("/?$query");
    echo "$query: $response->status ", trim($response->body), ', then ', $server->get('/')->body, "\n";
}
echo $server->stop(), ' ', file_get_contents($server->place('told')), "\n";
foreach (['undefined function', 'Allowed memory size', 'exit code 3'] as $text) {
    echo preg_match("~ERROR .*worker_script \S+ has failed: .*$text~", $server->log());
}
echo "\n";

// Another worker answers, as long as one is busy between two requests.
$server = pull(<<<'PHP'
    while (ferrite_handle_request(function () { echo getmypid(); isset($_GET['long']) && usleep(100000); })) {
        for ($i = 0; isset($_GET['busy']) && $i < 30000 && !file_exists(__DIR__ . '/go'); $i++) { usleep(2000); clearstatcache(); }
    }
    PHP, "'worker_num' => 2");
$busy = $server->get('/?busy')->body;
for ($others = $i = 0; $i < 30; $i++) {
    $others += $server->get('/')->body !== $busy;
}
file_put_contents($server->place('go'), '');
$connections = [$server->connect(), $server->connect()];
wait_until(function () use ($connections, $busy) {
    array_map(fn ($connection) => $connection->request('GET', '/?long'), $connections);
    return in_array($busy, array_map(fn ($connection) => $connection->response()->body, $connections), true);
}, 'it serves again');
echo $others, ' ', $server->stop(), "\n";

// One that does not end in time is ended, wherever its script is.
$server = pull('touch(__DIR__ . "/boots"); for (;;) { sleep(1); ferrite_handle_request(...); }', "'max_wait_time' => 0.5", launch: true);
wait_until(fn () => file_exists($server->place('boots')), 'the script begins');
// The supervisor obeys by then.
wait_until(function () use ($server) { $server->signal(SIGTERM); usleep(50000); return !$server->poll(); }, 'it ends');
echo $server->exit, "\n";
$server = pull('while (ferrite_handle_request(function () { echo 1; })) { for (;;) { sleep(1); } }', "'max_wait_time' => 0.5");
echo $server->get('/')->body, ' ', $server->stop(), ' ', preg_match('/did not end in time and is killed/', $server->log()), "\n";

$script = fn (string $answer) => "<?php while (ferrite_handle_request(function () { echo '$answer'; }));";
$server = pull('while (ferrite_handle_request(function () { echo "old"; }));', "'worker_num' => 2");
file_put_contents($server->place('worker.php'), '<?php while ((');
$server->signal(SIGUSR1);
$bad = 0;
wait_until(function () use ($server, &$bad) {
    $bad += $server->get('/')->body !== 'old';
    return preg_match('/has failed before it asked for a request.*reload given up: .* the former workers serve on/s', $server->log());
}, 'the reload is given up');
for ($i = 0; $i < 20; $i++) {
    $bad += $server->get('/')->body !== 'old';
}
file_put_contents($server->place('worker.php'), $script('new'));
$server->signal(SIGUSR1);
wait_until(fn () => $server->get('/')->body === 'new', 'the repaired script serves');
echo "$bad ", $server->stop(), "\n";
?>
--EXPECT--
dies=within: 502 502 Bad Gateway, then alive
ends=fatal: 200 alive, then alive
ends=memory: 200 alive, then alive
ends=code: 200 alive, then alive
ends=killed: 200 alive, then alive
0 0 0 9, 0 255 0, 0 255 0, 0 255 0, 0 0 9, 
111
30 0
0
1 0 1
0 0
