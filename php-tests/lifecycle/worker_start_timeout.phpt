--TEST--
A WorkerStart callback that does not return is given up after worker_start_timeout
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach ([
    'sleeps' => 'sleep(1000);',
    'cannot be asked' => <<<'CODE'
        if (function_exists('pcntl_signal')) {
            pcntl_signal(SIGTERM, SIG_IGN);
            pcntl_sigprocmask(SIG_BLOCK, [SIGTERM, SIGINT, SIGHUP]);
        }
        while (true) {
            usleep(1000);
        }
        CODE,
] as $what => $code) {
    $server = TestServer::launch(<<<CODE
        \$server = new Ferrite\Http\Server('127.0.0.1', 0);
        \$server->set(['worker_num' => 1, 'worker_start_timeout' => 0.3]);
        \$server->on('WorkerStart', function () { $code });
        \$server->on('WorkerError', function (\$server, \$worker, \$pid, \$exit, \$signal, \$reason) {
            echo "worker \$worker: exit code \$exit, signal \$signal, \$reason\n";
        });
        \$server->on('Start', fn () => print("started\n"));
        \$server->on('Request', fn (\$request, \$response) => \$response->end());
        try {
            \$server->start();
        } catch (Ferrite\Exception \$exception) {
            echo \$exception->getMessage(), "\n";
            exit(7);
        }
        CODE);
    $before = microtime(true);
    echo "$what: ", $server->wait(), "\n", $server->out();
    var_dump(microtime(true) - $before >= 5 * 0.3);
    echo preg_match_all('/worker 0 \(pid \d+\) was not ready after 0\.3 s and is killed: see what its WorkerStart callback \(or its worker_script\) waits for, or raise worker_start_timeout$/m', $server->log()), "\n";
    echo preg_match_all('/worker 0 \(pid/', $server->log()), "\n";
    $server->waitForAll();
}

// At a reload the former workers go on, and the next reload may do better.
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'worker_start_timeout' => 2]);
    $server->on('WorkerStart', function () {
        if (file_exists(place('hang'))) {
            file_put_contents(place('hanging'), (string) getmypid());
            sleep(1000);
        }
    });
    $server->on('Request', fn ($request, $response) => $response->end((string) getmypid()));
    CODE);
$workers = fn () => array_intersect_key($server->children(), ['worker 0' => 0, 'worker 1' => 0]);
wait_until(fn () => count($workers()) === 2, 'both workers have their titles');
$former = $workers();
touch($server->place('hang'));
$server->signal(SIGUSR1);
wait_until(fn () => @file_get_contents($server->place('hanging')) != '', 'the new worker hangs');
$hanging = (int) file_get_contents($server->place('hanging'));
[$during, $wrong] = [0, 0];
while (!str_contains($server->log(), 'reload given up')) {
    $during += is_alive($hanging);
    $wrong += !in_array((int) $server->get('/')->body, $former, true);
}
var_dump($during > 0, $wrong);
wait_until(fn () => !is_alive($hanging), 'the worker that hangs is killed');
var_dump($workers() == $former);
echo preg_match("/ERROR.* worker 0 \(pid $hanging\) was not ready after 2 s and is killed/", $server->log()), "\n";
unlink($server->place('hang'));
$server->signal(SIGUSR1);
wait_until(fn () => count($workers()) === 2 && !array_intersect($workers(), $former), 'the workers are replaced');
var_dump($server->stop());
?>
--EXPECT--
sleeps: 7
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0 did not become ready 5 times in a row (the last one was not ready after 0.3 s): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
bool(true)
5
5
cannot be asked: 7
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0: exit code 0, signal 9, start_timeout
worker 0 did not become ready 5 times in a row (the last one was not ready after 0.3 s): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
bool(true)
5
5
bool(true)
int(0)
bool(true)
1
int(0)
