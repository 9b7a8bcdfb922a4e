--TEST--
shutdown(), reload() and stop() work from a worker
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('Request', function ($request, $response) use ($server) {
        $done = match ($request->server['request_uri']) {
            '/' => null,
            '/stop' => $server->stop(),
            '/stop0' => $server->stop(0),
            '/reload' => $server->reload(),
            '/tasks' => $server->reload(true),
            '/shutdown' => $server->shutdown() && $server->shutdown(),
        };
        $response->end(json_encode([$done, getmypid(), $server->worker_id]));
    });
    CODE);
$workers = fn () => array_diff_key($server->children(), ['reactor' => 0]);
wait_until(fn () => isset($workers()['worker 0'], $workers()['worker 1']), 'the workers have their titles');
$ask = fn (string $target) => json_decode($server->get($target)->body);

[$done, $pid, $id] = $ask('/stop');
wait_until(fn () => !is_alive($pid) && ($workers()["worker $id"] ?? $pid) !== $pid, 'the worker is replaced');
echo json_encode($done), " stop\n";

$first = $workers()['worker 0'];
[$done] = $ask('/stop0');
wait_until(fn () => !is_alive($first) && isset($workers()['worker 0']), 'worker 0 is replaced');
echo json_encode($done), " stop 0\n";

$before = $workers();
echo json_encode($ask('/tasks')[0]), " no task workers\n";
var_dump($workers() === $before);
echo json_encode($ask('/reload')[0]), " reload\n";
wait_until(fn () => !array_filter($before, is_alive(...)) && count($workers()) === 2, 'the workers are replaced');

// Asked for twice it is no second signal: the request that asks is finished.
echo json_encode($ask('/shutdown')[0]), " shutdown\n";
echo $server->wait(), "\n";
$server->waitForAll();

// Nor in the supervisor itself.
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 3, 'max_wait_time' => 60]);
    $server->on('WorkerError', function ($server) { $server->shutdown(); file_put_contents('php://fd/3', "asked\n"); });
    $server->on('Request', function ($request, $response) use ($server) {
        file_put_contents('php://fd/3', getmypid() . "\n");
        while (!file_exists(place('go'))) {
            usleep(1000);
        }
        $response->end('finished');
    });
    CODE);
$workers = fn () => array_diff_key($server->children(), ['reactor' => 0]);
wait_until(fn () => count($workers()) === 3 && isset($workers()['worker 2']), 'the workers have their titles');
$connection = $server->connect();
$connection->request('GET', '/');
$idle = array_values(array_diff($workers(), [$server->line()]));
foreach ([0, 1] as $worker) {
    send_signal($idle[$worker], SIGKILL);
    echo $server->line(), "\n";
}
touch($server->place('go'));
echo $connection->response()->body, "\n";
echo $server->wait(), ' ', preg_match('/second signal/', $server->log()), "\n";
$server->waitForAll();
?>
--EXPECT--
true stop
true stop 0
true no task workers
bool(true)
true reload
true shutdown
0
asked
asked
finished
0 0
