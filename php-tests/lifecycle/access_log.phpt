--TEST--
access_log: a whole line for each request, a new file after SIGHUP, and no request waits for a log that nobody can write
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

$start = fn (string $to, string $options = '') => TestServer::script(<<<CODE
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 2, 'access_log' => $to, $options]);
    \$server->on('Start', ready(...));
    \$server->on('Request', function (\$request, \$response) use (\$server) {
        match (\$request->server['request_uri']) {
            '/dies' => posix_kill(getmypid(), SIGKILL),
            '/lost' => \$response->end((string) \$server->stats()['access_log_lost_count']),
            default => \$response->end('hello'),
        };
    });
    \$server->start();
    CODE);
$lines = fn (string $path) => file_exists($path) ? file($path, FILE_IGNORE_NEW_LINES) : [];

// One line for each request, and what went wrong.
$server = $start("place('access.log')", "'access_log_format' => 'json', 'access_log_exclude' => ['/healthz']");
$log = $server->place('access.log');
$server->get('/a?b=c');
$server->get('/healthz');
$server->get('/dies');
$connection = $server->connect();
$connection->send("GET / HTTP/9.9\r\n\r\n");
$connection->rest();
wait_until(fn () => count($lines($log)) === 3, 'there are three lines');
$objects = array_map(fn ($line) => json_decode($line, true), $lines($log));
// Who answers at the same time is written in any order.
usort($objects, fn ($one, $other) => $one['status'] <=> $other['status']);
foreach ($objects as $object) {
    echo implode(' ', [$object['method'] ?? '-', $object['path'] ?? '-', $object['query'] ?? '-', $object['status'],
        $object['outcome'], $object['body_bytes'] > 0 ? 'content' : 'empty', isset($object['pid']) ? 'worker' : 'nobody']), "\n";
}

// A new file after SIGHUP, and no line is lost on the way.
rename($log, "$log.1");
$server->signal(SIGHUP);
$sent = 0;
wait_until(function () use ($server, $log, $lines, &$sent) {
    $server->get('/again');
    $sent++;
    return $lines($log) !== [];
}, 'there is a line in the new file');
wait_until(fn () => count($lines($log)) + count($lines("$log.1")) === 3 + $sent, 'all lines are there');
echo $server->stop(), "\n";
echo count(array_filter([...$lines($log), ...$lines("$log.1")], fn ($line) => is_array(json_decode($line, true)))) === 3 + $sent ? "whole\n" : "torn\n";

// A disk that is full.
$server = $start("'/dev/full'");
for ($i = 0; $i < 20; $i++) {
    $server->get('/');
}
wait_until(fn () => (int) $server->get('/lost')->body >= 20, 'lost lines are counted');
echo $server->stop(), ' ', str_contains($server->log(), 'lines of the access log: No space left') ? "said\n" : $server->log();

// A pipe that nobody reads.
posix_mkfifo($pipe = sys_get_temp_dir() . '/access_log.' . getmypid(), 0600);
$reader = fopen($pipe, 'r+');
$server = $start("'$pipe'", "'access_log_format' => '" . str_repeat('x', 60_000) . "{status}'");
for ($i = 0; $i < 400; $i++) {
    $server->get('/')->body === 'hello' || die('a request failed');
}
echo (int) $server->get('/lost')->body > 0 ? "lost\n" : "not lost\n";
echo $server->stop(), "\n";
unlink($pipe);

// A format that is none.
$server = new Ferrite\Http\Server('127.0.0.1', 0);
foreach ([['access_log_format' => '{stauts}'], ['access_log_sample' => 2], ['access_log_exclude' => '/']] as $options) {
    try {
        $server->set($options);
    } catch (Throwable $error) {
        echo $error::class, ': ', $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
GET /a b=c 200 complete content worker
GET /dies - 502 worker_died content worker
- - - 505 refused content nobody
0
whole
0 said
lost
0
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'access_log_format' must be 'combined', 'json' or a string with fields as '{client} {method} {status}', and "stauts (did you mean status?)" is none of these
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'access_log_sample' must be a number from 0 to 1, 2 given
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'access_log_exclude' must be an array of strings without control characters, "/" given
