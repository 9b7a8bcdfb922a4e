--TEST--
kill -9 of the reactor: it is restarted on the same port, and the workers stay
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode([getmypid(), $server->stats()])));
    CODE);
wait_until(fn () => isset($server->children()['worker 0'], $server->children()['worker 1']), 'the workers have their titles');
$before = $server->children();
$connection = $server->connect();
$connection->request('GET', '/');
echo $connection->response()->status, "\n";
send_signal($before['reactor'], SIGKILL);
var_dump($connection->rest());
// Connections wait in the backlog until the new reactor accepts them.
[$pid, $stats] = json_decode($server->get('/')->body, true);
var_dump($stats['reactor_restart_count']);
// The connections of the former one are closed, and count as such.
var_dump($stats['connection_num'], $stats['accept_count'], $stats['close_count'], $stats['concurrency']);
$after = $server->children();
var_dump($after['reactor'] !== $before['reactor']);
var_dump($after['worker 0'] === $before['worker 0'], $after['worker 1'] === $before['worker 1']);
var_dump(in_array($pid, $after, true));
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
200
string(0) ""
int(1)
int(1)
int(2)
int(1)
int(1)
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
