--TEST--
$request->server has the keys that Swoole fills, and request_scheme
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $facts = $request->server;
    $facts['server_port'] = $facts['server_port'] === $GLOBALS['server']->port;
    $facts['remote_port'] = is_int($facts['remote_port']) && $facts['remote_port'] > 0;
    $facts['request_time'] = abs($facts['request_time'] - time()) < 5;
    $facts['request_time_float'] = abs($facts['request_time_float'] - microtime(true)) < 5;
    $facts['master_time'] = $facts['master_time'] === $request->server['request_time'];
    $response->end(var_export($facts, true)
        . "\n" . var_export($request->fd > 0, true) . ' ' . var_export($request->streamId, true));
    CODE);

echo $server->get('/a%20b/c?d=e%20f')->body, "\n";
echo $server->request('PURGE', '/')->body, "\n";
echo $server->get('/?')->body, "\n";
$connection = $server->connect();
$connection->send("GET / HTTP/1.0\r\n\r\n");
echo preg_match("/'server_protocol' => .*/", $connection->response()->body, $match) ? $match[0] : '';
?>
--EXPECT--
array (
  'request_method' => 'GET',
  'request_uri' => '/a%20b/c',
  'path_info' => '/a b/c',
  'query_string' => 'd=e%20f',
  'request_time' => true,
  'request_time_float' => true,
  'request_scheme' => 'http',
  'server_protocol' => 'HTTP/1.1',
  'server_port' => true,
  'server_addr' => '127.0.0.1',
  'remote_port' => true,
  'remote_addr' => '127.0.0.1',
  'master_time' => true,
)
true 0
array (
  'request_method' => 'PURGE',
  'request_uri' => '/',
  'path_info' => '/',
  'request_time' => true,
  'request_time_float' => true,
  'request_scheme' => 'http',
  'server_protocol' => 'HTTP/1.1',
  'server_port' => true,
  'server_addr' => '127.0.0.1',
  'remote_port' => true,
  'remote_addr' => '127.0.0.1',
  'master_time' => true,
)
true 0
array (
  'request_method' => 'GET',
  'request_uri' => '/',
  'path_info' => '/',
  'request_time' => true,
  'request_time_float' => true,
  'request_scheme' => 'http',
  'server_protocol' => 'HTTP/1.1',
  'server_port' => true,
  'server_addr' => '127.0.0.1',
  'remote_port' => true,
  'remote_addr' => '127.0.0.1',
  'master_time' => true,
)
true 0
'server_protocol' => 'HTTP/1.0',
