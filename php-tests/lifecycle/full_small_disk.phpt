--TEST--
A full disk under log_file and stats_file: the server goes on, counts the lines that are lost, and writes again when there is room
--EXTENSIONS--
posix
--SKIPIF--
<?php
require __DIR__ . '/small_disk.inc';
may_mount() === null && die('skip neither root nor user namespaces may mount a tmpfs here');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/small_disk.inc';

$mount = tempnam(sys_get_temp_dir(), 'ferrite-full-');
unlink($mount);
mkdir($mount);
$inside = <<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1, 'log_file' => DISK . '/log', 'stats_file' => DISK . '/stats', 'stats_timer_interval' => 10]);
    $server->on('Start', ready(...));
    $server->on('Request', function ($request, $response) {
        switch ($request->server['request_uri']) {
            case '/fill':
                $file = fopen(DISK . '/fill', 'a');
                while (@fwrite($file, str_repeat('x', 100)) === 100);
                return $response->end('full');
            case '/empty': unlink(DISK . '/fill'); return $response->end('empty');
            case '/throw': throw new Exception('thrown ' . $request->get['n']);
            case '/log': return $response->end(file_get_contents(DISK . '/log'));
            case '/stats': return $response->end((string) @file_get_contents(DISK . '/stats'));
        }
        $response->end('ok');
    });
    $server->start();
    CODE;
$options = may_mount();
putenv("FERRITE_TEST_UNDER=unshare $options sh -c 'mount -t tmpfs -o size=64k none $mount && exec \"\$0\" \"\$@\"'");
$server = TestServer::script("define('DISK', '$mount');\n$inside");
putenv('FERRITE_TEST_UNDER');
wait_until(fn () => $server->get('/stats')->body !== '', 'the file is there');
$server->get('/fill');
$told = fn (string $text) => substr_count($server->log(), $text);
wait_until(function () use ($server, $told) {
    $server->get('/throw?n=' . str_repeat('x', 1000));
    return $told('cannot write to log_file') > 0;
}, 'standard error is told');
$answers = [];
for ($n = 0; $n < 100; $n++) {
    $server->get("/throw?n=lost$n");
    $answers[] = $server->get('/')->body;
}
$answers = implode(' ', array_slice($answers, -3)) . "\n";
$server->get('/empty');
$server->get('/throw?n=again');
$log = $server->get('/log')->body;
$answers .= preg_match('/^\S+ ERROR worker 0 \[\d+\] \d+ lines of this process could not be written to the log$/m', $log)
    && preg_match('/^\S+ ERROR worker 0 .*thrown again/m', $log) ? "lost lines are counted\n" : $log;
$failures = substr_count($log, 'cannot write stats_file') + $told('cannot write stats_file');
$failures <= 3 || print("$failures lines about stats_file\n");
$time = fn () => json_decode($server->get('/stats')->body, true)['time'] ?? 0;
$before = microtime(true);
wait_until(fn () => $time() > $before, 'it is written again');
$answers .= "the file is written again\n" . $server->stop() . "\n";

echo $answers;
rmdir($mount);
?>
--EXPECT--
ok ok ok
lost lines are counted
the file is written again
0
