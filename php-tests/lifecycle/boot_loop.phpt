--TEST--
A worker that cannot boot ends the server with an error and an exit code
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach ([
    'throws' => 'throw new LogicException("no database");',
    'exits' => 'exit(3);',
    'is fatal' => 'trigger_error("broken", E_USER_ERROR);',
    'dies' => 'posix_kill(getmypid(), 9);',
] as $what => $code) {
    if ($what === 'dies' && !function_exists('posix_kill')) {
        $code = 'exec("kill -9 " . getmypid()); sleep(9);';
    }
    $server = TestServer::launch(<<<CODE
        \$server = new Ferrite\Http\Server('127.0.0.1', 0);
        \$server->set(['worker_num' => 1]);
        \$server->on('WorkerStart', function () { $code });
        \$server->on('Start', fn () => print("started\n"));
        \$server->on('Request', fn (\$request, \$response) => \$response->end());
        try {
            \$server->start();
        } catch (Ferrite\Exception \$exception) {
            echo 'exception: ', \$exception->getMessage(), "\n";
            exit(7);
        }
        CODE);
    echo "$what: ", $server->wait(), ' ', strstr($server->out(), 'exception:') ?: $server->output();
    $server->waitForAll();
}
// Not caught, it ends the script as any exception does.
$server = TestServer::launch(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->on('WorkerStart', fn () => throw new LogicException('no database'));
    $server->on('Request', fn ($request, $response) => $response->end());
    $server->start();
    CODE);
echo 'uncaught: ', $server->wait(), "\n";
echo preg_match('/LogicException: no database in .*server\.php:\d+/', $server->log()), "\n";
?>
--EXPECT--
throws: 7 exception: worker 0 did not become ready 5 times in a row (the last one ended with exit code 1): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
exits: 7 exception: worker 0 did not become ready 5 times in a row (the last one ended with exit code 1): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
is fatal: 7 exception: worker 0 did not become ready 5 times in a row (the last one ended with exit code 1): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
dies: 7 exception: worker 0 did not become ready 5 times in a row (the last one was killed by signal 9 (SIGKILL)): a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the log lines above
uncaught: 255
1
