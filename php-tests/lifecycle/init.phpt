--TEST--
As process 1 of a container: SIGTERM, SIGINT and SIGQUIT stop, SIGHUP reloads, orphans are reaped
--EXTENSIONS--
pcntl
posix
--SKIPIF--
<?php
exec('unshare --pid --fork true 2>/dev/null', $output, $code);
if ($code !== 0) die('skip needs unshare, and the right to use it');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach ([SIGTERM, SIGINT, 3 /* SIGQUIT */] as $signal) {
    $server = TestServer::script(<<<'CODE'
        if (getmypid() !== 1) {
            // Once more, as the first process of a namespace.
            $again = explode("\0", rtrim(file_get_contents('/proc/self/cmdline'), "\0"));
            pcntl_exec(exec('command -v unshare'), ['--pid', '--fork', '--kill-child', ...$again]);
            exit(1);
        }
        $server = new Ferrite\Http\Server('127.0.0.1', 0);
        $server->set(['worker_num' => 1, 'pid_file' => place('pid')]);
        $server->on('Start', ready(...));
        $server->on('Request', function ($request, $response) {
            switch ($request->server['request_uri']) {
                case '/orphan': exec('sh -c "sleep 0.01 &"'); break;
                case '/slow': touch(place('slow')); usleep(300_000);
            }
            $response->end((string) getmypid());
        });
        $server->start();
        CODE);
    $children = fn (int $pid) => array_filter(explode(' ', trim((string) @file_get_contents("/proc/$pid/task/$pid/children"))));
    [$init] = $children($server->pid);
    echo trim(file_get_contents($server->place('pid'))), ': ';
    $worker = $server->get('/')->body;
    send_signal((int) $init, SIGHUP);
    wait_until(fn () => $server->get('/')->body !== $worker, 'the worker is replaced');
    $server->get('/orphan');
    // The reactor and a worker, or two while one is replaced.
    wait_until(fn () => array_filter($children((int) $init), fn ($pid) => !is_alive((int) $pid)) === [] && count($children((int) $init)) === 2, 'orphans are reaped');
    $connection = $server->connect();
    $connection->request('GET', '/slow');
    wait_until(fn () => file_exists($server->place('slow')), 'the handler runs');
    send_signal((int) $init, $signal);
    echo $connection->response()->status, ', ', $server->wait(), ' ', json_encode(file_exists($server->place('pid'))), "\n";
}
?>
--EXPECT--
1: 200, 0 false
1: 200, 0 false
1: 200, 0 false
