--TEST--
A flood of bad requests is no flood of the log, and all of it is counted there
--FILE--
<?php
require __DIR__ . '/../server.inc';

const BAD = 1000;

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1]);
    $server->on('Request', fn ($request, $response) => $response->end('good'));
    CODE);
$begin = microtime(true);
for ($i = 0; $i < BAD; $i++) {
    $connection = $server->connect();
    $connection->send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    if ($connection->response()->status !== 400) {
        echo "not refused\n";
    }
}
$summary = '/ INFO  reactor \[\d+\] (\d+) more requests were refused: not a line for each$/m';
wait_until(fn () => preg_match($summary, $server->log()), 'a line says how many more');
echo $server->get('/')->body, "\n";
$server->stop();
$seconds = microtime(true) - $begin;

$lines = substr_count($server->log(), 'refused a request of client');
preg_match_all($summary, $server->log(), $matches);
echo $lines >= 200 && $lines <= 200 + 10 * $seconds ? 'few lines' : "$lines lines in $seconds s", "\n";
echo count($matches[1]) <= $seconds + 1 ? 'few sums' : count($matches[1]) . " sums in $seconds s", "\n";
echo $lines + array_sum($matches[1]), "\n";
?>
--EXPECT--
good
few lines
few sums
1000
