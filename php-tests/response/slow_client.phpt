--TEST--
A client that does not read stops its own worker past the bound, and only until the deadline
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/fast') {
        return $response->end('fast');
    }
    for ($i = 0; $i < 1000 && $response->write(str_repeat('x', 65536)); $i++);
    tell('written', json_encode([$i < 1000, $response->isWritable(), memory_get_usage() < 16 << 20]));
    CODE, "'send_timeout' => 1, 'response_spool_bytes_max' => '1M'");
$connection = $server->connect();
$connection->request('GET', '/');
echo $server->get('/fast')->body, "\n";
echo $server->told('written'), "\n";
?>
--EXPECT--
fast
[true,false,true]
