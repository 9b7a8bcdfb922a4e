--TEST--
A request whose client leaves while it waits is not run, over HTTP/1 in cleartext and by TLS, and over HTTP/2
--SKIPIF--
<?php
str_contains((string) shell_exec('curl --version'), 'HTTP2') || print 'skip needs curl with HTTP/2';
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

const WAITING = 5;
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'tls' => 'dev', 'max_wait_time' => 1,
        'stats_file' => place('stats'), 'stats_timer_interval' => 10]);
    $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
    $server->on('Request', function ($request, $response) use ($server) {
        $path = $request->server['request_uri'];
        file_put_contents(place('run'), "$path\n", FILE_APPEND);
        for ($until = microtime(true) + 30; $path === '/slow' && !file_exists(place('go')) && microtime(true) < $until;) {
            // Long enough that nothing is handed ahead.
            usleep(10_000);
        }
        $response->end(json_encode($server->stats()));
    });
    CODE);

/** A request that nobody waits for any longer as soon as this is closed. */
function asked(int $port, bool $tls, string $path, string $end = ''): mixed
{
    $context = stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]);
    $stream = stream_socket_client(($tls ? 'tls' : 'tcp') . "://127.0.0.1:$port", $code, $text, DEADLINE, context: $context);
    fwrite($stream, "GET $path HTTP/1.1\r\nHost: localhost\r\n$end\r\n");
    return $stream;
}

/** Waits until so many requests wait behind the one in work, in the queue or at the worker. */
function wait_for_waiting(TestServer $server, int $count): void
{
    wait_until(fn () => is_file($server->place('stats'))
        && json_decode(file_get_contents($server->place('stats')), true)['stats']['concurrency'] === $count + 1, "$count requests wait");
}

function runs(TestServer $server): array
{
    return is_file($server->place('run')) ? file($server->place('run'), FILE_IGNORE_NEW_LINES) : [];
}

/** What has run of `WAITING` requests that $ask makes and $leave leaves while the worker is busy. */
function abandoned(TestServer $server, callable $ask, callable $leave, int $stay = 0): int
{
    @unlink($server->place('run'));
    @unlink($server->place('go'));
    $before = json_decode($server->get('/stats')->body, true);
    $slow = asked($server->port, false, '/slow');
    wait_until(fn () => in_array('/slow', runs($server)), 'the worker is busy');
    $waiting = array_map($ask, range(1, WAITING));
    wait_for_waiting($server, WAITING);
    array_map($leave, $waiting);
    wait_for_waiting($server, $stay);
    touch($server->place('go'));
    stream_get_line($slow, 65536, "}");
    $after = json_decode($server->get('/stats')->body, true);
    printf("%d given up, ", $after['given_up_count'] - $before['given_up_count']);
    return count(preg_grep('~^/waiting~', runs($server)));
}

[$clear, $tls] = $server->ports;
foreach (['HTTP/1' => [$clear, false], 'HTTP/1 by TLS' => [$tls, true]] as $name => [$port, $secure]) {
    echo "$name: ", abandoned($server, fn ($n) => asked($port, $secure, "/waiting$n"), fclose(...)), " run\n";
}
foreach (['HTTP/2' => "http://127.0.0.1:$clear", 'HTTP/2 by TLS' => "https://127.0.0.1:$tls"] as $name => $url) {
    // One connection for each request; the end of the process resets it or closes it.
    $ask = fn ($n) => proc_open(['curl', '-sk', str_contains($name, 'TLS') ? '--http2' : '--http2-prior-knowledge', '-m', '60',
        "$url/waiting$n"], [1 => ['file', '/dev/null', 'w']], $pipes);
    echo "$name: ", abandoned($server, $ask, fn ($curl) => proc_terminate($curl)), " run\n";
}
// Who says that it will close may close its direction.
echo 'Connection: close: ';
$shut = abandoned($server, function ($n) use ($clear) {
    $stream = asked($clear, false, "/waiting$n", "Connection: close\r\n");
    stream_socket_shutdown($stream, STREAM_SHUT_WR);
    return $stream;
}, fn ($stream) => null, WAITING);
echo "$shut run\n";
echo $server->stop(), "\n";
?>
--EXPECT--
HTTP/1: 5 given up, 0 run
HTTP/1 by TLS: 5 given up, 0 run
HTTP/2: 5 given up, 0 run
HTTP/2 by TLS: 5 given up, 0 run
Connection: close: 0 given up, 5 run
0
