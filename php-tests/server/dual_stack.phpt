--TEST--
Log lines show an IPv4 client of a socket for both as IPv4
--SKIPIF--
<?php
$socket = @stream_socket_server('tcp://[::]:0');
if (!$socket) die('skip no IPv6');
$port = substr(strrchr(stream_socket_get_name($socket, false), ':'), 1);
if (!@stream_socket_client("tcp://127.0.0.1:$port")) die('skip no socket for both');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('::', 0, Ferrite\PROCESS, Ferrite\SOCK_TCP6);
    $server->set(['worker_num' => 1, 'log_level' => Ferrite\LOG_INFO]);
    $server->on('Start', ready(...));
    $server->on('Request', fn ($request, $response) => $response->end());
    $server->start();
    CODE);
foreach (['127.0.0.1', '[::1]'] as $host) {
    $connection = new TestConnection(stream_socket_client("tcp://$host:$server->port"));
    $connection->send("BAD\r\n\r\n");
    echo $connection->response()->status, ' ';
    $match = $server->waitForLog('/refused a request of client (' . preg_quote($host) . '):\d+: 400/');
    echo $match[1], "\n";
}
var_dump(str_contains($server->log(), 'ffff'), $server->stop());
?>
--EXPECT--
400 127.0.0.1
400 [::1]
bool(false)
int(0)
