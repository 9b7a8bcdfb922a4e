--TEST--
A server on a Unix socket
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server(place('a.sock'), 0, Ferrite\PROCESS, Ferrite\SOCK_UNIX_STREAM);
    $server->on('Start', ready(...));
    $server->on('Request', function ($request, $response) use ($server) {
        $response->end(json_encode([$server->port, $server->type, $request->server['request_uri']]));
    });
    chdir('/');
    $server->start();
    CODE);
$path = $server->place('a.sock');
var_dump(filetype($path));
$connection = new TestConnection(stream_socket_client("unix://$path"));
$connection->request('GET', '/over/unix');
echo $connection->response()->body, "\n";
$connection->close();
var_dump($server->stop(), file_exists($path));
?>
--EXPECT--
string(6) "socket"
[0,5,"\/over\/unix"]
int(0)
bool(false)
