--TEST--
stats() counts what happens
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode($server->stats())));
    CODE);
for ($i = 0; $i < 4; $i++) {
    $server->get('/');
}
$connection = $server->connect();
$connection->request('GET', '/');
$first = json_decode($connection->response()->body, true);
$connection->request('GET', '/');
$second = json_decode($connection->response()->body, true);

var_dump($first['accept_count'], $first['request_count'], $first['worker_request_count'], $first['worker_num']);
var_dump($second['request_count'], $second['worker_response_count'], $second['accept_count']);
var_dump($second['connection_num'] >= 1, abs($first['start_time'] - time()) < 60);
var_dump($second['total_recv_bytes'] > $first['total_recv_bytes'], $second['total_send_bytes'] > 0);
var_dump($second['lost_count'], $second['shed_count'], $second['worker_restart_count'], $second['reactor_restart_count']);
$server->stop();
?>
--EXPECT--
int(5)
int(5)
int(5)
int(1)
int(6)
int(5)
int(5)
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(0)
int(0)
int(0)
