--TEST--
kill -9 of the reactor: it is restarted on the same port, the workers stay, and no number of a connection comes again
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode([getmypid(), $server->stats(), $request->fd])));
    CODE);
wait_until(fn () => isset($server->children()['worker 0'], $server->children()['worker 1']), 'the workers have their titles');
$before = $server->children();
$connection = $server->connect();
$connection->request('GET', '/');
[, , $first] = json_decode($connection->response()->body, true);
send_signal($before['reactor'], SIGKILL);
var_dump($connection->rest());
// Connections wait in the backlog until the new reactor accepts them.
[$pid, $stats, $second] = json_decode($server->get('/')->body, true);
var_dump($stats['reactor_restart_count'], $second > $first);
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
string(0) ""
int(1)
bool(true)
int(1)
int(2)
int(1)
int(1)
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
