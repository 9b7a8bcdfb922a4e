--TEST--
Forks outside of handlers, and what they leave to the worker: callbacks, uploads, responses under way
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    function fork_one(string $where, ?int $code): void {
        if (pcntl_fork() === 0) {
            file_put_contents(place('copies'), "$where\n", FILE_APPEND);
            if ($code !== null) exit($code);
        }
    }
    mkdir(place('up'));
    $server->set(['worker_num' => 1, 'reactor_num' => 2, 'upload_tmp_dir' => place('up')]);
    $server->on('Start', function ($server) { fork_one('Start', null); if (getmypid() === $server->master_pid) ready($server); });
    // The second is forked by the first one's copy as well.
    $server->on('WorkerStart', function () { fork_one('WorkerStart', null); fork_one('WorkerStart', 4); });
    $server->on('WorkerStop', fn () => fork_one('WorkerStop', null));
    $server->on('Connect', fn () => fork_one('Connect', null));
    $server->on('Close', fn () => fork_one('Close', 5));
    $server->on('WorkerError', fn () => fork_one('WorkerError', null));
    $server->on('Shutdown', fn () => fork_one('Shutdown', null));
    class Forks { function __destruct() { fork_one('destructor', null); } }
    $server->on('Request', function ($request, $response) {
        switch ($request->server['request_uri']) {
            case '/upload':
                $path = $request->files['f']['tmp_name'];
                if (($pid = pcntl_fork()) === 0) return;
                pcntl_waitpid($pid, $status);
                return $response->end(json_encode([pcntl_wexitstatus($status), file_get_contents($path), is_uploaded_file($path)]));
            case '/stream':
                for ($n = 0; $n < 50; $n++) {
                    if ($n === 25) fork_one('stream', null);
                    $response->write("$n ") || exit(9);
                }
                return $response->end();
            case '/shutdown_function':
                register_shutdown_function(fn () => fork_one('shutdown function', null));
                return $response->end('registered');
            case '/destructor': $GLOBALS['kept'] = null; $forks = new Forks(); return $response->end('made');
            case '/die': posix_kill(getmypid(), SIGKILL);
        }
        $response->end((string) getmypid());
    });
    CODE);
$pid = $server->get('/pid')->body;
$body = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\ncontent\r\n--b--\r\n";
echo $server->request('POST', '/upload', ['Content-Type' => 'multipart/form-data; boundary=b'], $body)->body, "\n";
try {
    // The copy writes nothing, the worker all of it.
    echo $server->get('/stream')->body === implode(' ', range(0, 49)) . ' ' ? "whole\n" : "torn\n";
} catch (RuntimeException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $server->get('/shutdown_function')->body, ' ', $server->get('/destructor')->body, "\n";
for ($n = 0; $n < 30; $n++) {
    $server->get('/pid')->body === $pid || print("another worker\n");
}
echo $server->get('/die')->status, "\n";
wait_until(fn () => $server->get('/pid')->body !== $pid, 'it is replaced');
echo $server->stop(), "\n";
// The copies end by themselves.
$server->waitForAll();
$copies = array_count_values(file($server->place('copies'), FILE_IGNORE_NEW_LINES));
ksort($copies);
foreach ($copies as $where => $count) {
    echo "$where: ", in_array($where, ['Connect', 'Close'], true) ? ($count > 30 ? 'many' : $count) : $count, "\n";
}
echo preg_match_all('/ERROR/', $server->log()), ' ', substr_count($server->log(), 'the server stops'), "\n";
rmdir($server->place('up'));
?>
--EXPECT--
[0,"content",true]
whole
registered made
502
0
Close: many
Connect: many
Shutdown: 1
Start: 1
WorkerError: 1
WorkerStart: 6
WorkerStop: 1
destructor: 1
shutdown function: 1
stream: 1
1 1
