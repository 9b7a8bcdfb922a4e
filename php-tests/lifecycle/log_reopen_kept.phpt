--TEST--
SIGHUP: workers that stay, because the reload is given up, write to the new log file as well
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach ([1, 2] as $reactors) {
    $server = TestServer::script(<<<CODE
        \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
        \$server->set(['worker_num' => 2, 'reactor_num' => $reactors, 'log_file' => place('file.log')]);
        \$server->on('Start', ready(...));
        \$server->on('WorkerStart', fn () => file_exists(place('broken')) && throw new Exception('a broken release'));
        \$server->on('Request', function (\$request, \$response) {
            if (\$request->server['request_uri'] === '/slow') {
                touch(place('busy'));
                for (\$until = microtime(true) + 20; !file_exists(place('go')) && microtime(true) < \$until;) {
                    usleep(10_000);
                }
            }
            usleep(50_000);
            throw new Exception(getmypid() . ' ' . \$request->get['text']);
        });
        \$server->start();
        CODE);
    $log = $server->place('file.log');
    $has = fn (string $path, string $pattern) => preg_match($pattern, (string) @file_get_contents($path)) === 1;
    $workers = array_filter($server->children(), fn ($title) => str_starts_with($title, 'worker'), ARRAY_FILTER_USE_KEY);
    // One of them is at work when the log is moved.
    $slow = $server->connect();
    $slow->request('GET', '/slow?text=slow');
    wait_until(fn () => file_exists($server->place('busy')), 'it is busy');
    touch($server->place('broken'));
    rename($log, "$log.1");
    $server->signal(SIGHUP);
    wait_until(fn () => $has($log, '/ supervisor .*reload given up/'), 'the reload is given up');
    touch($server->place('go'));
    // Its line may still be in the old file: it looks for the new one between requests.
    $slow->response();
    foreach ($workers as $pid) {
        wait_until(function () use ($server, $has, $log, $pid) {
            // At the same time, so that each has one.
            $clients = [$server->connect(), $server->connect()];
            array_walk($clients, fn ($client) => $client->request('GET', '/?text=after'));
            array_walk($clients, fn ($client) => $client->response());
            return $has($log, "/ worker \d \[$pid\] .*$pid after/");
        }, 'each writes to the new file');
    }
    $old = file_get_contents("$log.1");
    $server->get('/?text=after');
    $after = array_filter($server->children(), fn ($title) => str_starts_with($title, 'worker'), ARRAY_FILTER_USE_KEY);
    echo $after == $workers ? 'the same workers' : 'other workers', ', ', file_get_contents("$log.1") !== $old ? 'the old file is used' : 'the new file alone', "\n";
    echo $server->stop(), "\n";
}
?>
--EXPECT--
the same workers, the new file alone
0
the same workers, the new file alone
0
