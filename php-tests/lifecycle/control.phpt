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
            '/shutdown' => $server->shutdown(),
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

echo json_encode($ask('/shutdown')[0]), " shutdown\n";
echo $server->wait(), "\n";
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
