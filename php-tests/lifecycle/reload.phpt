--TEST--
SIGUSR1 replaces every worker, and no request fails meanwhile
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'max_wait_time' => 10]);
    $server->on('Request', fn ($request, $response) => $response->end((string) getmypid()));
    CODE);
$workers = fn () => array_intersect_key($server->children(), ['worker 0' => 0, 'worker 1' => 0]);
wait_until(fn () => count($workers()) === 2, 'both workers have their titles');
$before = $workers();
$reactor = $server->children()['reactor'];

// SIGUSR2 is for task workers, which there are none of; nobody ends by it.
foreach ([$server->pid, ...$server->children()] as $pid) {
    send_signal($pid, 12);
}
$connection = $server->connect();
$answered = 0;
$server->signal(SIGUSR1);
wait_until(function () use ($server, $connection, $before, $workers, &$answered) {
    // On a connection that lives on, and on new ones.
    $connection->request('GET', '/');
    $answered += $connection->response()->status === 200;
    $answered += $server->get('/')->status === 200;
    $now = $workers();
    return count($now) === 2 && !array_intersect($now, $before) && !array_filter($before, is_alive(...));
}, 'the workers are replaced');
var_dump($answered % 2 === 0 && $answered > 0);
var_dump($server->children()['reactor'] === $reactor);
var_dump(in_array((int) $server->get('/')->body, $workers(), true));
var_dump($server->stop());
$server->waitForAll();
var_dump(preg_match('/WARN|ERROR/', $server->log()));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
int(0)
int(0)
