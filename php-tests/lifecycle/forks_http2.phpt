--TEST--
pcntl_fork() in a handler over HTTP/2: the answer is the worker's alone
--EXTENSIONS--
pcntl
posix
--SKIPIF--
<?php
exec('curl -V', $lines);
str_contains(implode($lines), 'HTTP2') || print('skip curl has no HTTP/2');
?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $case = substr($request->server['request_uri'], 1);
    if ($case === 'pid') return $response->end((string) getmypid());
    $pid = pcntl_fork();
    if ($pid === 0) {
        switch ($case) {
            case 'returns': return;
            case 'exits': exit(7);
            case 'throws': throw new RuntimeException('of the child');
            case 'fatal': @trigger_error('of the child', E_USER_ERROR);
            case 'memory': ini_set('memory_limit', '16M'); str_repeat('x', 64 << 20);
            case 'execs': pcntl_exec('/bin/sh', ['-c', 'exit 5']);
            case 'dies': posix_kill(getmypid(), SIGKILL);
            case 'answers':
                foreach ([fn () => $response->end('child'), fn () => $response->write('child'), fn () => $response->sendfile(__FILE__)] as $try) {
                    try {
                        $try();
                        exit(1);
                    } catch (Ferrite\Exception) {
                    }
                }
                exit(0);
            case 'lives': usleep(300_000); exit(0);
        }
    }
    if ($case === 'lives') return $response->end('its child lives');
    pcntl_waitpid($pid, $status);
    $response->end(pcntl_wifexited($status) ? 'exit ' . pcntl_wexitstatus($status) : 'signal ' . pcntl_wtermsig($status));
    CODE);

function http2(TestServer $server, string $path): string
{
    return exec("curl -sS --http2-prior-knowledge --max-time 20 -w '|%{http_version} %{http_code}\\n' http://127.0.0.1:$server->port/$path 2>&1");
}

$pid = http2($server, 'pid');
foreach (['returns', 'exits', 'throws', 'fatal', 'memory', 'execs', 'dies', 'answers', 'lives'] as $case) {
    echo "$case: ", http2($server, $case), "\n";
    // Two readers of one link would be noticed soon.
    for ($n = 0; $n < 10; $n++) {
        http2($server, 'pid') === $pid || print("another worker\n");
    }
}
echo 'log: ', $server->log(), "\n", $server->stop(), "\n";
?>
--EXPECT--
returns: exit 0|2 200
exits: exit 7|2 200
throws: exit 255|2 200
fatal: exit 255|2 200
memory: exit 255|2 200
execs: exit 5|2 200
dies: signal 9|2 200
answers: exit 0|2 200
lives: its child lives|2 200
log: 
0
