--TEST--
A worker is replaced after max_request requests, and none is lost
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'max_request' => 10]);
    $server->on('WorkerStop', fn () => file_put_contents(place('stops'), 'x', FILE_APPEND));
    $server->on('WorkerError', fn () => file_put_contents(place('errors'), 'x', FILE_APPEND));
    $server->on('Request', function ($request, $response) {
        static $count = 0;
        $response->end(getmypid() . ' ' . ++$count);
    });
    CODE);
$connection = $server->connect();
$pids = [];
$requests = 0;
// The old worker serves on until its successor is ready, however long that takes.
wait_until(function () use ($connection, &$pids, &$requests) {
    $connection->request('GET', '/');
    [$pid, $count] = explode(' ', $connection->response()->body);
    $pids[$pid] = (int) $count;
    $requests++;
    return count($pids) >= 5;
}, 'five workers have served');
var_dump(min(array_slice($pids, 0, 4)) >= 10);
var_dump(array_sum($pids) === $requests);
wait_until(fn () => file_exists($server->place('stops')), 'a worker has stopped');
var_dump(file_exists($server->place('errors')));
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
bool(true)
bool(true)
bool(false)
int(0)
