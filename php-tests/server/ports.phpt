--TEST--
Several ports, each with its own callbacks and options
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'package_max_length' => '64K']);
    $server->on('Request', fn ($request, $response) => $response->end('first'));
    $second = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP);
    $second->set(['package_max_length' => '2K', 'server_header' => 'second']);
    $second->on('request', function ($request, $response) use ($second) {
        $response->end("second {$request->server['server_port']} " . json_encode($second->setting));
    });
    $third = $server->addListener('127.0.0.1', 0, Ferrite\SOCK_TCP);
    assert($server->ports[1] === $second && $server->ports[2] === $third);
    CODE);
[$first, $second, $third] = $server->ports;
var_dump($server->get('/', port: $first)->body);
var_dump(str_replace((string) $second, 'PORT', $server->get('/', port: $second)->body));
var_dump($server->get('/', port: $third)->body);
foreach ($server->ports as $port) {
    $response = $server->request('POST', '/', body: str_repeat('x', 4096), port: $port);
    echo $response->status, ' ', $response->header('Server'), "\n";
}
var_dump($server->stop());
?>
--EXPECT--
string(5) "first"
string(64) "second PORT {"package_max_length":"2K","server_header":"second"}"
string(5) "first"
200 ferrite
413 second
200 ferrite
int(0)
