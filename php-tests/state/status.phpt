--TEST--
Status, headers and alarms that PHP's own functions have set are gone with the next request
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    echo "output before the start\n";
    http_response_code(404);
    header('Location: /elsewhere');
    $server->set(['worker_num' => 1]);
    $server->on('WorkerStart', function () { header('X-Start: 1'); echo "output at the start\n"; });
    $server->on('Request', function ($request, $response) {
        $seen = [http_response_code(), headers_list(), headers_sent(), ob_get_level(), connection_status(), ini_get('max_execution_time'), error_get_last()];
        switch ($request->server['request_uri']) {
            case '/code': http_response_code(418); break;
            case '/line': header('HTTP/1.1 451 No'); break;
            case '/location': header('Location: /elsewhere'); break;
            case '/type': header('Content-Type: text/csv'); break;
            case '/callback': header_register_callback(fn () => print("never\n")); break;
            case '/output': echo "output\n"; flush(); break;
            case '/buffers':
                ob_start();
                ob_start(null, 0, PHP_OUTPUT_HANDLER_STDFLAGS ^ PHP_OUTPUT_HANDLER_REMOVABLE);
                ob_start(fn ($text) => strtoupper($text), 0, 0);
                echo "kept in buffers\n";
                break;
            case '/limit': set_time_limit(50); break;
            case '/error': @trigger_error('quiet'); break;
            case '/exit': http_response_code(500); ob_start(); $response->end(json_encode($seen)); exit;
            case '/throw': http_response_code(500); ob_start(); $response->end(json_encode($seen)); throw new Exception('x');
            case '/fatal': http_response_code(500); ob_start(); $response->end(json_encode($seen)); trigger_error('given up', E_USER_ERROR);
        }
        $response->end(json_encode($seen));
    });
    CODE, ['display_errors' => 0, 'log_errors' => 0, 'implicit_flush' => 1]);
$fresh = $server->get('/')->body;
echo $fresh, "\n";
foreach (['code', 'line', 'location', 'type', 'callback', 'output', 'buffers', 'limit', 'error', 'exit', 'throw', 'fatal'] as $what) {
    $server->get("/$what");
    $next = $server->get('/')->body;
    echo $next === $fresh ? '' : "after $what: $next\n";
}
$server->stop();
$server->waitForAll();
echo $server->out();

if (!extension_loaded('pcntl')) {
    return;
}
// An alarm goes off in its own request or never. SIGALRM would end the worker.
$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/alarm': pcntl_alarm(1); return $response->end('set');
        case '/rest':
            $until = microtime(true) + 1.5;
            while (microtime(true) < $until) usleep(50000);
            return $response->end(pcntl_alarm(0) . ' ' . getmypid());
        case '/pending':
            // It has gone off, but its handler has not run yet.
            pcntl_signal(SIGALRM, function () { file_put_contents(place('alarm'), $GLOBALS['request'] ?? 'none', FILE_APPEND); });
            $GLOBALS['request'] = 'the request that set it';
            pcntl_alarm(100);
            posix_kill(getmypid(), SIGALRM);
            return $response->end();
        case '/next':
            $GLOBALS['request'] = 'another request';
            pcntl_signal_dispatch();
            return $response->end((string) @file_get_contents(place('alarm')));
    }
    CODE);
$pid = $server->get('/pid')->body;
$server->get('/alarm');
echo $server->get('/rest')->body === "0 $pid" ? "no alarm\n" : "an alarm\n";
if (extension_loaded('posix')) {
    $server->get('/pending');
    echo $server->get('/next')->body, "\n";
} else {
    echo "the request that set it\n";
}
?>
--EXPECT--
[false,[],false,0,0,"0",null]
output before the start
output at the start
output
KEPT IN BUFFERS
output at the start
no alarm
the request that set it
