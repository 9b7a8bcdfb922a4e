--TEST--
Answers of HTTP/1 tell of HTTP/3, as long as it is spoken and nothing else is said
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/../tls/tls.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'tls' => 'dev']);
    foreach ([[], ['http3_alt_svc_max_age' => 60], ['http3_alt_svc_max_age' => 0], ['open_http3_protocol' => false]] as $options) {
        $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set($options);
    }
    $server->on('Request', function ($request, $response) {
        if ($request->server['path_info'] === '/own') {
            $response->header('Alt-Svc', 'clear');
        }
        $response->end();
    });
    CODE);
$told = function (TestConnection $connection, int $port, string $path): void {
    $connection->request('GET', $path);
    echo str_replace((string) $port, 'PORT', json_encode($connection->response()->header('Alt-Svc'))), "\n";
};
foreach (array_slice($server->ports, 1) as $port) {
    $told(tls_connect($port), $port, '/');
}
$told(tls_connect($server->ports[1]), $server->ports[1], '/own');
// What the server answers by itself.
$told(tls_connect($server->ports[1]), $server->ports[1], '*');
// In cleartext.
var_dump($server->get('/')->header('Alt-Svc'));
echo $server->stop(), "\n";
?>
--EXPECT--
"h3=\":PORT\"; ma=86400"
"h3=\":PORT\"; ma=60"
null
null
"clear"
"h3=\":PORT\"; ma=86400"
NULL
0
