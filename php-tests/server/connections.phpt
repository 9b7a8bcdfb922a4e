--TEST--
Connect and Close tell of connections
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1]);
    $server->on('Connect', function ($server, int $fd, int $reactor) { file_put_contents('php://fd/3', "connect $fd $reactor\n"); });
    $server->on('Close', function ($server, int $fd, int $reactor) { file_put_contents('php://fd/3', "close $fd $reactor\n"); });
    $server->on('Request', fn ($request, $response) => $response->end((string) $request->fd));
    CODE);
$connection = $server->connect();
$opened = $server->line();
$connection->request('GET', '/');
$fd = $connection->response()->body;
var_dump($opened === "connect $fd 0");
$connection->close();
var_dump($server->line() === "close $fd 0");
var_dump($server->stop());
?>
--EXPECT--
bool(true)
bool(true)
int(0)
