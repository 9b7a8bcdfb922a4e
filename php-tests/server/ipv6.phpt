--TEST--
A server on IPv6
--SKIPIF--
<?php if (!@stream_socket_server('tcp://[::1]:0')) die('skip no IPv6'); ?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('::1', 0, Ferrite\PROCESS, Ferrite\SOCK_TCP6);
    $server->on('Start', ready(...));
    $server->on('Request', fn ($request, $response) => $response->end($request->server['remote_addr']));
    $server->start();
    CODE);
$connection = new TestConnection(stream_socket_client("tcp://[::1]:$server->port"));
$connection->request('GET', '/');
echo $connection->response()->body, "\n";
var_dump($server->stop());
?>
--EXPECT--
::1
int(0)
