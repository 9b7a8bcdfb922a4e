--TEST--
SIGHUP: log_file is opened anew by every process, for logrotate
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach (['false', 'true'] as $daemonize) {
    $server = TestServer::script(<<<CODE
        \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
        \$server->set(['worker_num' => 1, 'log_file' => place('file.log'), 'pid_file' => place('pid'), 'daemonize' => $daemonize]);
        \$server->on('Start', ready(...));
        \$server->on('Request', function (\$request, \$response) {
            fwrite(fopen('php://stderr', 'w'), "to standard error\\n");
            throw new Exception(\$request->get['text']);
        });
        \$server->start();
        CODE);
    $pid = (int) file_get_contents($server->place('pid'));
    $log = $server->place('file.log');
    // The worker and the reactor have something to say.
    $speak = function (string $text) use ($server): void {
        $server->get("/?text=$text");
        $connection = $server->connect();
        $connection->send("GET /$text HTTP/9.9\r\n\r\n");
        $connection->rest();
    };
    $has = fn (string $path, string $pattern) => preg_match($pattern, (string) @file_get_contents($path)) === 1;
    $speak('before');
    wait_until(fn () => $has($log, '/ reactor .*/') && $has($log, '/ worker 0 .*before/'), 'both are in the log');
    rename($log, "$log.1");
    send_signal($pid, SIGHUP);
    wait_until(fn () => $has($log, '/ supervisor .*opened anew/'), 'the supervisor has a new file');
    wait_until(fn () => $has($log, '/ supervisor .*all workers have been replaced/'), 'the reload ends');
    $speak('after');
    wait_until(fn () => $has($log, '/ reactor .*/') && $has($log, '/ worker 0 .*after/'), 'both are in the new log');
    var_dump($has("$log.1", '/after/'), $has($log, '/^to standard error$/m'));
    send_signal($pid, SIGTERM);
    $server->waitForAll();
    var_dump($has($log, '/the server stops/'));
}

// A file that cannot be opened: the log goes on where it was.
$server = TestServer::script(<<<'CODE'
    mkdir(place('logs'));
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1, 'log_file' => place('logs/file.log')]);
    $server->on('Start', ready(...));
    $server->on('Request', fn ($request, $response) => $response->end('ok'));
    $server->start();
    CODE);
rename($server->place('logs'), $server->place('moved'));
$server->signal(SIGHUP);
$log = $server->place('moved/file.log');
wait_until(fn () => str_contains(file_get_contents($log), 'all workers have been replaced'), 'the reload ends');
echo preg_match('~(cannot open log_file) \S+ (anew: .*)~', file_get_contents($log), $line) ? "$line[1] … $line[2]\n" : file_get_contents($log);
echo $server->get('/')->body, ' ', $server->stop(), "\n";
unlink($log);
rmdir($server->place('moved'));
?>
--EXPECT--
bool(false)
bool(false)
bool(true)
bool(false)
bool(true)
bool(true)
cannot open log_file … anew: No such file or directory (os error 2); the log goes on where it was
ok 0
