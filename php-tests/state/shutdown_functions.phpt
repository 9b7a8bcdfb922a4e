--TEST--
register_shutdown_function() in a handler: at the end of the request, whatever its end; the worker's own wait
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    function note(string $text): void { file_put_contents(place('notes'), "$text\n", FILE_APPEND); }
    $supervisor = getmypid();
    register_shutdown_function(fn () => note('of the script, in the ' . (getmypid() === $supervisor ? 'supervisor' : 'worker')));
    $server->set(['worker_num' => 1]);
    $server->on('WorkerStart', fn () => register_shutdown_function(fn () => note('of WorkerStart')));
    $server->on('Request', function ($request, $response) {
        $path = $request->server['request_uri'];
        if ($path === '/none') return $response->end('none');
        register_shutdown_function(function ($path) use ($response) {
            note("first of $path");
            $error = error_get_last()['message'] ?? null;
            if ($error !== null) note("last error: $error");
            if ($path !== '/ended' && $path !== '/written') {
                $response->status(503);
                note(json_encode($response->end("answered by the shutdown function of $path")));
            } elseif ($path === '/written') {
                $response->end(' and its end');
            }
            if ($path === '/nested') register_shutdown_function(fn () => note('nested'));
            if ($path === '/throws') throw new RuntimeException('in shutdown');
            if ($path === '/exits') exit;
            if ($path === '/fatal2') trigger_error('fatal in shutdown', E_USER_ERROR);
            ob_start();
        }, $path);
        register_shutdown_function(fn () => note("second of $path"));
        switch ($path) {
            case '/ended': return $response->end('ended');
            case '/written': return $response->write('the beginning');
            case '/exit': exit;
            case '/throw': throw new RuntimeException('thrown');
            case '/fatal': trigger_error('given up', E_USER_ERROR);
            case '/timeout': set_time_limit(1); for (;;);
        }
    });
    CODE, ['display_errors' => 0, 'log_errors' => 0]);
foreach (['none', 'return', 'ended', 'written', 'exit', 'throw', 'nested', 'throws', 'exits', 'fatal', 'timeout', 'fatal2', 'none'] as $path) {
    $response = $server->get("/$path");
    echo "-- $path: $response->status $response->body\n";
    // The rest of them have run when the worker takes the next request, or gives up.
    $server->get('/none');
    if (in_array($path, ['fatal', 'timeout', 'fatal2'])) {
        $server->waitForLog("~GET /$path: .*the worker is replaced~");
    }
    echo (string) @file_get_contents($server->place('notes'));
    @unlink($server->place('notes'));
}
$server->stop();
$server->waitForAll();
echo "-- at the end\n", file_get_contents($server->place('notes'));
echo preg_replace(['~^\S+ (\w+) +\S+ \d* ?\[\d+\] ~m', '~/\S+/~'], ['$1 ', ''], $server->log());
?>
--EXPECT--
-- none: 200 none
-- return: 503 answered by the shutdown function of /return
first of /return
true
second of /return
-- ended: 200 ended
first of /ended
second of /ended
-- written: 200 the beginning and its end
first of /written
second of /written
-- exit: 503 answered by the shutdown function of /exit
first of /exit
true
second of /exit
-- throw: 503 answered by the shutdown function of /throw
first of /throw
true
second of /throw
-- nested: 503 answered by the shutdown function of /nested
first of /nested
true
second of /nested
nested
-- throws: 503 answered by the shutdown function of /throws
first of /throws
true
-- exits: 503 answered by the shutdown function of /exits
first of /exits
true
-- fatal: 503 answered by the shutdown function of /fatal
first of /fatal
last error: given up
true
second of /fatal
-- timeout: 503 answered by the shutdown function of /timeout
first of /timeout
last error: Maximum execution time of 1 second exceeded
true
second of /timeout
-- fatal2: 503 answered by the shutdown function of /fatal2
first of /fatal2
true
-- none: 200 none
-- at the end
of WorkerStart
of the script, in the supervisor
ERROR GET /throw: uncaught RuntimeException: thrown in server.php:33
ERROR GET /throws: in a shutdown function: uncaught RuntimeException: in shutdown in server.php:23
ERROR GET /fatal: given up in server.php:34; the worker is replaced
ERROR GET /timeout: Maximum execution time of 1 second exceeded in server.php:35; the worker is replaced
ERROR GET /fatal2: fatal in shutdown in server.php:25; the worker is replaced
INFO the server stops
