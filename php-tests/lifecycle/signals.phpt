--TEST--
Signals: the whole group is signalled and no handler's wait is cut short; SIGQUIT stops, SIGHUP reloads
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/../show.inc';

$code = <<<'CODE'
    $case = substr($request->server['request_uri'], 1);
    if ($case === 'pid') return $response->end((string) getmypid());
    touch(place("in-$case"));
    $began = hrtime(true);
    $outcome = match ($case) {
        'sleep' => sleep(1),
        'usleep' => usleep(1_000_000),
        'time_nanosleep' => time_nanosleep(1, 0),
        'stream_select' => (function () {
            $pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
            [$read, $write, $except] = [[$pair[0]], null, null];
            return stream_select($read, $write, $except, 1);
        })(),
        'exec' => exec('sleep 1; echo $?'),
        'own' => (function () {
            pcntl_async_signals(true);
            pcntl_signal(SIGTERM, function ($number) { $GLOBALS['got'] = $number; });
            posix_kill(getmypid(), SIGTERM);
            $left = sleep(1);
            $before = $GLOBALS['got'] ?? null;
            pcntl_alarm(1);
            pcntl_signal(SIGALRM, fn () => 0);
            $cut = sleep(10) > 5;
            pcntl_signal(SIGTERM, SIG_DFL);
            return [$before, $cut];
        })(),
    };
    $whole = hrtime(true) - $began >= 1_000_000_000;
    $response->end(json_encode($outcome) . ($whole ? ' whole' : ' cut short'));
    CODE;

// As systemd does it: each process gets the signal.
$everybody = function (TestServer $server, int $signal): void {
    foreach ([...array_values($server->children()), $server->pid] as $pid) {
        send_signal($pid, $signal);
    }
};
foreach (['sleep' => SIGTERM, 'usleep' => SIGINT, 'time_nanosleep' => SIGQUIT, 'stream_select' => SIGTERM, 'exec' => SIGTERM] as $case => $signal) {
    $server = serve($code);
    $connection = $server->connect();
    $connection->request('GET', "/$case");
    wait_until(fn () => file_exists($server->place("in-$case")), 'the handler runs');
    $everybody($server, $signal);
    echo "$case: ", $connection->response()->body, ', ', $server->wait(), "\n";
}

$server = serve($code);
echo 'own: ', $server->get('/own')->body, "\n";

// A reload of everybody, by everybody.
foreach ([SIGUSR1, SIGHUP] as $signal) {
    $pid = $server->get('/pid')->body;
    @unlink($server->place('in-usleep'));
    $connection = $server->connect();
    $connection->request('GET', '/usleep');
    wait_until(fn () => file_exists($server->place('in-usleep')), 'the handler runs');
    $everybody($server, $signal);
    echo $connection->response()->body, "\n";
    wait_until(fn () => $server->get('/pid')->body !== $pid, 'another worker');
}
wait_until(fn () => substr_count($server->log(), 'all workers have been replaced') > 1, 'reloads end');
// What is for the supervisor alone does not end a worker.
$pid = (int) $server->get('/pid')->body;
foreach ([SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGPIPE] as $signal) {
    send_signal($pid, $signal);
}
echo $server->get('/pid')->body === (string) $pid ? "the same worker\n" : "another worker\n";
// And one that has nothing to do obeys at once.
send_signal($pid, SIGTERM);
wait_until(fn () => !is_alive($pid), 'the worker is replaced');
echo $server->stop(SIGQUIT), "\n";
?>
--EXPECT--
sleep: 0 whole, 0
usleep: null whole, 0
time_nanosleep: true whole, 0
stream_select: 0 whole, 0
exec: "0" whole, 0
own: [15,true] whole
null whole
null whole
the same worker
0
