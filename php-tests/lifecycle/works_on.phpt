--TEST--
A request is not kept waiting by a handler that works on after its answer, while another worker is idle
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'PHP'
    $server->set(['worker_num' => 2]);
    $server->on('Request', function ($request, $response) {
        $response->end((string) getmypid());
        // It works on until it is told to end, for a time that no test waits for.
        $deadline = microtime(true) + 4 * 60;
        while ($request->server['request_uri'] === '/on' && !file_exists(place('end')) && microtime(true) < $deadline) {
            clearstatcache();
            usleep(20_000);
        }
        $request->server['request_uri'] === '/on' && touch(place('ended'));
    });
    PHP);
for ($round = 0; $round < 5; $round++) {
    $busy = $server->get('/on')->body;
    for ($n = 0; $n < 5; $n++) {
        $server->get('/next')->body !== $busy || print "the worker that works on has answered\n";
    }
    touch($server->place('end'));
    wait_until(fn () => file_exists($server->place('ended')), 'the handler ends');
    unlink($server->place('ended'));
    unlink($server->place('end'));
}
echo $server->stop(), "\n";
?>
--EXPECT--
0
