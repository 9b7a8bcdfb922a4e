--TEST--
kill -9 of a worker in the middle of a request: 502 for that one, all others are served
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('WorkerError', function ($server, int $worker, int $pid, int $exit, int $signal, string $reason) {
        file_put_contents('php://fd/3', json_encode(['error', $worker, $pid, $exit, $signal, $reason, getmypid() === $server->master_pid]) . "\n");
    });
    $server->on('Request', function ($request, $response) use ($server) {
        if ($request->server['request_uri'] === '/hang') {
            file_put_contents('php://fd/3', json_encode(['hangs', $server->worker_id, getmypid()]) . "\n");
            sleep(60);
        }
        $response->end('fine');
    });
    CODE);
$connection = $server->connect();
$connection->request('GET', '/hang?secret=1');
[, $worker, $pid] = json_decode($server->line());
for ($i = 0; $i < 5; $i++) {
    echo $server->get('/')->body, ' ';
}
$before = microtime(true);
send_signal($pid, SIGKILL);
$response = $connection->response();
echo "\n", $response->status, "\n";
var_dump(json_decode($server->line()) === ['error', $worker, $pid, 0, 9, 'signal', true]);
wait_until(fn () => isset($server->children()["worker $worker"]), 'the worker is replaced', 1);
var_dump(microtime(true) - $before < 1);
for ($i = 0; $i < 5; $i++) {
    echo $server->get('/')->body, ' ';
}
// The connection of the lost request serves on.
$connection->request('GET', '/');
echo $connection->response()?->body ?? 'closed', "\n";
$server->waitForLog("~$pid.*signal 9.*GET /hang|GET /hang.*$pid.*signal 9~");
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
fine fine fine fine fine 
502
bool(true)
bool(true)
fine fine fine fine fine fine
int(0)
