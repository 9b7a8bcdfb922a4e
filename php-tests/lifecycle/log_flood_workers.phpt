--TEST--
What clients make workers say is no flood of the log, and all of it is counted there
--FILE--
<?php
require __DIR__ . '/../server.inc';

const BAD = 1000;

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) {
        if ($request->server['request_uri'] === '/throw') {
            throw new Exception('thrown');
        }
        $response->end(json_encode($request->post));
    });
    CODE);
$begin = microtime(true);
$form = ['Content-Type' => 'multipart/form-data'];
$connection = $server->connect();
for ($i = 0; $i < BAD; $i++) {
    $connection->request('POST', '/', $form, 'no boundary');
    $form_status = $connection->response()->status;
    $connection->request('GET', '/throw');
    if ([$form_status, $connection->response()->status] !== [200, 500]) {
        echo "not as expected\n";
    }
}
$server->stop();
$seconds = microtime(true) - $begin;

foreach ([
    'Missing boundary' => 'warnings of PHP\'s parsers',
    'thrown' => 'requests whose handler failed',
] as $line => $sum) {
    $lines = substr_count($server->log(), $line);
    preg_match_all("/ WARN  worker 0 \[\d+\] (\d+) more $sum: not a line for each$/m", $server->log(), $matches);
    echo $lines >= 200 && $lines <= 201 + 10 * $seconds ? 'few lines' : "$lines lines in $seconds s", "\n";
    echo count($matches[1]) >= 1 && count($matches[1]) <= $seconds + 2 ? 'few sums' : count($matches[1]) . " sums in $seconds s", "\n";
    echo $lines + array_sum($matches[1]), "\n";
}
?>
--EXPECT--
few lines
few sums
1000
few lines
few sums
1000
