--TEST--
A log_file and a pid_file that take nothing (/dev/full): the server goes on, and says so in a line that does not repeat
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

// What cannot be written to. Nothing else is needed for log_file and pid_file.
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'log_file' => '/dev/full', 'pid_file' => '/dev/full']);
    $server->on('Request', function ($request, $response) use ($server) {
        match ($request->server['request_uri']) {
            '/throw' => throw new Exception(),
            '/log' => Ferrite\log('error', 'lost'),
            default => null,
        };
        $response->end($request->server['request_uri'] === '/lost' ? (string) $server->stats()['worker_log_lost_count'] : 'ok');
    });
    CODE);
for ($i = 0; $i < 300; $i++) {
    $server->get('/throw')->status === 500 || print("not 500\n");
}
echo $server->get('/')->body, "\n";
// None of more than 300 lines could be written, which standard error tells now and then.
$lines = preg_match_all('~ ERROR .* \[\d+\] cannot write to log_file /dev/full: No space left on device; lines are lost~', $server->log());
echo $lines > 0 && $lines <= 10 ? 'told' : "$lines lines", "\n";
// A worker's are counted, whatever it loses, and its requests go on.
$before = (int) $server->get('/lost')->body;
for ($i = 0; $i < 50; $i++) {
    $server->get('/log')->body === 'ok' || print("not ok\n");
}
echo $before >= 200 ? 'counted' : $before, ' ', (int) $server->get('/lost')->body - $before >= 50 ? 'counted' : 'not counted', "\n";
echo $server->stop(), ', ', file_exists('/dev/full') ? 'its file is there' : 'its file is gone', "\n";

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'pid_file' => '/dev/full']);
    $server->on('Request', fn ($request, $response) => $response->end('ok'));
    CODE);
echo $server->get('/')->body, ' ', preg_match('~ERROR \S+ \[\d+\] (cannot write pid_file /dev/full: No space left on device .*without it)~', $server->log(), $line) ? $line[1] : $server->log(), "\n";
echo $server->stop(), "\n";

?>
--EXPECT--
ok
told
counted counted
0, its file is there
ok cannot write pid_file /dev/full: No space left on device (os error 28); the server goes on without it
0
