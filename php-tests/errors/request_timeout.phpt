--TEST--
A request that computes past max_execution_time is request_timeout in the log and among the figures, whoever ends it
--FILE--
<?php
require __DIR__ . '/../server.inc';

$script = fn (string $request) => TestServer::script(<<<CODE
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, 'log_format' => 'json']);
    \$server->on('Start', ready(...));
    \$server->on('WorkerError', function (\$server, \$worker, \$pid, \$exit, \$signal, \$reason) {
        Ferrite\\log('info', 'worker error', [\$exit, \$signal, \$reason]);
    });
    $request
    \$server->start();
    CODE, ['max_execution_time' => 1, 'hard_timeout' => 1, 'display_errors' => 0, 'log_errors' => 0]);
$find = function (TestServer $server, string $event): array {
    wait_until(function () use ($server, $event, &$found) {
        foreach (explode("\n", $server->log()) as $line) {
            $object = json_decode($line, true);
            if (($object['event'] ?? '') === $event) {
                return (bool) $found = $object;
            }
        }
        return false;
    }, "the log has $event");
    return $found;
};

// PHP ends the request, and the worker its process.
$handler = '$server->on("Request", function ($request, $response) use ($server) {
    switch ($request->server["request_uri"]) {
        case "/loop": while (true);
        case "/throw": trigger_error("given up", E_USER_ERROR);
        case "/native": hash_pbkdf2("sha256", "x", "y", 2_000_000_000);
        default: $response->end(json_encode($server->stats()));
    }
});';
$server = $script($handler);
echo $server->get('/loop')->status, "\n";
$line = $find($server, 'request_timeout');
echo implode(' ', [$line['level'], $line['reason'], $line['method'], $line['path'], $line['status']]), "\n";
$stats = function () use ($server): ?array {
    $response = $server->get('/');
    return $response->status === 200 ? json_decode($response->body, true) : null;
};
wait_until(fn () => ($stats()['worker_request_timeout_count'] ?? 0) === 1, 'the worker is counted');
echo $stats()['worker_left_count'], "\n";
echo $server->get('/throw')->status, "\n";
wait_until(fn () => ($stats()['worker_left_count'] ?? 0) === 1, 'another fatal error is counted apart');
echo $stats()['worker_request_timeout_count'], "\n";

// PHP ends the process by itself, when a function of its own does not come back.
echo $server->get('/native')->status, "\n";
$line = $find($server, 'worker_died');
echo implode(' ', [$line['exit_code'], $line['reason'], $line['path']]), "\n";
echo json_encode($find($server, 'application')['context']), "\n";
echo $server->stop(), "\n";

// Where the request is seen as under php-fpm.
$server = $script('$server->on("Request", new Ferrite\Http\Web(function () { if ($_SERVER["REQUEST_URI"] === "/loop") { while (true); } }));');
echo $server->get('/loop')->status, ' ', $find($server, 'request_timeout')['path'], "\n";
$server->stop();
?>
--EXPECT--
500
error max_execution_time GET /loop 500
0
500
1
502
124 request_timeout /native
[124,0,"request_timeout"]
0
500 /loop
