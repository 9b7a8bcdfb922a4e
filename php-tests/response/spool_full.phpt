--TEST--
Nothing is kept for clients past the bounds: workers wait, the clients are given up, and the log says so once
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/fast') {
        return $response->end('fast');
    }
    file_put_contents(place('ended'), json_encode($response->end(str_repeat('x', 32 << 20))) . "\n", FILE_APPEND);
    CODE, "'send_timeout' => 1, 'response_spool_memory_bytes_max' => 0, 'response_spool_disk_bytes_max' => 0");
$slow = [];
for ($i = 0; $i < 3; $i++) {
    $slow[$i] = $server->connect();
    $slow[$i]->request('GET', '/');
}
wait_until(fn () => substr_count((string) @file_get_contents($server->place('ended')), "\n") === 3, 'all are given up');
echo file_get_contents($server->place('ended'));
echo $server->get('/fast')->body, "\n";
echo substr_count($server->log(), 'response_spool_disk_bytes_max'), "\n";
?>
--EXPECT--
false
false
false
fast
1
