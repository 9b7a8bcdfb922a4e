--TEST--
Server::getClientInfo(): the connection of the request in work, and of Connect and Close; false of any other
--FILE--
<?php
require __DIR__ . '/../server.inc';

const SHOW = 'function show($server, $fd) {
    $info = $server->getClientInfo($fd);
    return json_encode($info === false ? false : array_merge(array_keys($info), [$info["remote_ip"], $info["remote_port"], $info["server_port"], $info["socket_type"], $info["reactor_id"]]));
}
';
$server = TestServer::start(SHOW . <<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'trusted_proxies' => ['127.0.0.1']]);
    $server->on('Connect', fn ($server, $fd) => Ferrite\log('info', 'connect ' . show($server, $fd)));
    $server->on('Close', fn ($server, $fd) => Ferrite\log('info', 'close ' . show($server, $fd)));
    $server->on('Request', function ($request, $response) use ($server) {
        $info = $server->connection_info($request->fd);
        $response->end(json_encode([
            show($server, $request->fd), show($server, $request->fd + 1), show($server, -1), show($server, PHP_INT_MIN),
            abs($info['last_recv_time'] - microtime(true)) < 60,
        ]));
    });
    $web = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP);
    $web->on('Request', new Ferrite\Http\Web(function () use ($server) {
        echo show($server, 1), show($server, 2), show($server, 3);
    }));
    CODE);
$connection = $server->connect();
$local = (int) substr(strrchr(stream_socket_get_name($connection->socket, false), ':'), 1);
$connection->request('GET', '/');
[$own, $other, $negative, $least, $recent] = json_decode($connection->response()->body, true);
$plain = fn (string $text) => str_replace(["127.0.0.1\",$local,$server->port", "\"127.0.0.1\",$local,"], ['CLIENT', '"127.0.0.1",PORT,'], $text);
echo $plain($own), "\n$other $negative $least ", var_export($recent, true), "\n";
// Of a client behind a proxy.
$connection->request('GET', '/', ['X-Forwarded-For' => '192.0.2.7:4711', 'X-Forwarded-Proto' => 'https']);
echo json_decode($connection->response()->body, true)[0], "\n";
$connection->close();
foreach (['connect', 'close'] as $event) {
    echo $plain(strstr($server->waitForLog("/$event .*/")[0], $event)), "\n";
}
// As under php-fpm, where one of the numbers is that of the connection.
echo preg_match_all('/remote_ip/', $server->get('/', port: $server->ports[1])->body), "\n";
try {
    (new Ferrite\Http\Server('127.0.0.1', 0))->getClientInfo(1);
} catch (Ferrite\Exception $error) {
    echo $error->getMessage(), "\n";
}
?>
--EXPECT--
["server_port","socket_type","remote_ip","remote_port","reactor_id","last_time","last_recv_time","last_dispatch_time","CLIENT,1,0]
false false false true
["server_port","socket_type","remote_ip","remote_port","reactor_id","last_time","last_recv_time","last_dispatch_time","192.0.2.7",4711,443,1,0]
connect ["server_port","socket_type","remote_ip","remote_port","reactor_id","CLIENT,1,0]
close ["server_port","socket_type","remote_ip","remote_port","reactor_id","CLIENT,1,0]
1
The server is not running
