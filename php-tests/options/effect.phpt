--TEST--
Options take effect, and $setting shows what was decided
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => '2', 'reactor_num' => 16, 'package_max_length' => '4K', 'header_count_max' => 8,
        'header_bytes_max' => 1024, 'request_line_bytes_max' => 256, 'keepalive_timeout' => 0.2, 'server_header' => false]);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode($server->setting)));
    CODE);
$response = $server->get('/');
$setting = json_decode($response->body, true);
var_dump($setting['worker_num'], $setting['reactor_num'], $setting['package_max_length'], $setting['max_connection'] > 0);
var_dump($response->header('Server'));
echo $server->request('POST', '/', body: str_repeat('x', 5000))->status, "\n";
echo $server->get('/' . str_repeat('x', 300))->status, "\n";
echo $server->get('/', ['X-Long' => str_repeat('x', 1100)])->status, "\n";
echo $server->get('/', array_fill_keys(array_map(fn ($n) => "X-$n", range(1, 9)), 'x'))->status, "\n";
$connection = $server->connect();
$connection->request('GET', '/');
$connection->response();
$before = microtime(true);
var_dump($connection->rest());
var_dump(microtime(true) - $before < 5);
var_dump(count($server->children()));
$server->stop();
?>
--EXPECT--
int(2)
int(2)
string(2) "4K"
bool(true)
NULL
413
414
431
431
string(0) ""
bool(true)
int(3)
