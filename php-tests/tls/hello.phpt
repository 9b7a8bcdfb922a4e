--TEST--
The same handler answers over http and https, and $request->server tells of TLS
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

$server = TestServer::start(<<<'CODE'
    $tls = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
    $tls->set(['tls' => 'dev']);
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) use ($server) {
        if ($request->server['path_info'] === '/big') {
            $response->end(str_repeat('0123456789', 300000));
            return;
        }
        $keys = ['https', 'request_scheme', 'server_port', 'ssl_protocol', 'ssl_server_name', 'ssl_client_verify'];
        $facts = array_map(fn ($key) => $request->server[$key] ?? null, array_combine($keys, $keys));
        $facts['server_port'] = array_search($facts['server_port'], array_map(fn ($port) => $port->port, $server->ports));
        $facts['cipher'] = isset($request->server['ssl_cipher']) && str_contains($request->server['ssl_cipher'], 'AES');
        $facts['ssl'] = array_map(fn ($port) => $port->ssl, $server->ports);
        $response->end(json_encode($facts));
    });
    CODE);
echo $server->get('/')->body, "\n";
$connection = tls_connect($server->ports[1], ['peer_name' => 'localhost', 'ciphers' => 'ECDHE+AESGCM']);
for ($i = 0; $i < 2; $i++) {
    $connection->request('GET', '/');
    echo $connection->response()->body, "\n";
}
$connection->request('GET', '/big');
var_dump(md5($connection->response()->body) === md5(str_repeat('0123456789', 300000)));
$connection->close();

// Cleartext on the TLS port.
$answer = $server->get('/', port: $server->ports[1]);
echo $answer->status, ' ', $answer->body;
echo $server->stop(), "\n";
?>
--EXPECT--
{"https":null,"request_scheme":"http","server_port":0,"ssl_protocol":null,"ssl_server_name":null,"ssl_client_verify":null,"cipher":false,"ssl":[false,true]}
{"https":"on","request_scheme":"https","server_port":1,"ssl_protocol":"TLSv1.3","ssl_server_name":"localhost","ssl_client_verify":null,"cipher":true,"ssl":[false,true]}
{"https":"on","request_scheme":"https","server_port":1,"ssl_protocol":"TLSv1.3","ssl_server_name":"localhost","ssl_client_verify":null,"cipher":true,"ssl":[false,true]}
bool(true)
400 This port speaks HTTPS: use https:// in its URL.
0
