--TEST--
A detached response outlives the worker that has detached it, a reload and max_request, and dies with the reactor; over HTTP/1.1 and HTTP/2
--SKIPIF--
<?php
extension_loaded('posix') || die('skip posix kills');
str_contains((string) shell_exec('curl --version'), 'HTTP2') || print 'skip needs curl with HTTP/2';
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'tls' => 'dev', 'detach_timeout' => 60]);
    $server->on('Start', fn ($server) => ready($server));
    $server->on('Request', function ($request, $response) use ($server) {
        switch ($request->server['path_info']) {
            case '/park':
                $response->header('X-Pid', (string) posix_getpid());
                file_put_contents(place('new'), $response->token() . ' ' . posix_getpid());
                $response->detach();
                rename(place('new'), place('token'));
                if (($request->get['then'] ?? '') === 'die') {
                    posix_kill(posix_getpid(), SIGKILL);
                }
                return;
            case '/answer':
                [$token] = explode(' ', file_get_contents(place('token')));
                $later = Ferrite\Http\Response::create($server, $token);
                $open = $later->isWritable();
                $later->end('by ' . posix_getpid());
                return $response->end(json_encode($open));
            case '/stop': return $response->end(json_encode($server->stop()));
            case '/reactor': return $response->end((string) exec('pgrep -P ' . $server->getMasterPid() . ' -f "ferrite: reactor"'));
            case '/stats': return $response->end(json_encode(array_intersect_key($server->stats(), ['detached_num' => 1, 'lost_count' => 1, 'stray_count' => 1, 'concurrency' => 1])));
        }
    });
    $server->start();
    CODE);
$tls = $server->ports[1];

$park = function (string $target) use ($server): TestConnection {
    @unlink($server->place('token'));
    $client = $server->connect();
    $client->request('GET', $target);
    wait_until(fn () => is_file($server->place('token')), 'it is detached');
    return $client;
};
$by_another = function (TestConnection $client, string $what) use ($server): void {
    [, $pid] = explode(' ', file_get_contents($server->place('token')));
    $answered = $server->get('/answer')->body;
    $response = $client->response();
    echo "$what: $answered ", $response->status, ' ', $response->header('x-pid') === $pid ? 'its fields, ' : 'other fields, ',
        $response->body === "by $pid" ? 'the same worker' : 'another worker', "\n";
};
$gone = fn () => wait_until(fn () => !is_alive((int) explode(' ', file_get_contents($server->place('token')))[1]), 'the worker has ended');

$client = $park('/park?then=die');
$gone();
$by_another($client, 'killed');

$client = $park('/park');
$server->signal(SIGUSR1);
$gone();
$by_another($client, 'reloaded');

$client = $park('/park');
posix_kill((int) explode(' ', file_get_contents($server->place('token')))[1], SIGTERM);
$gone();
$by_another($client, 'replaced');
echo $server->get('/stats')->body, "\n";

// HTTP/2: two streams of one connection, of which one is answered by another worker later.
@unlink($server->place('token'));
$curl = proc_open(['curl', '-sk', '--http2', '-m', '60', '-w', '|%{http_version} %{http_code}', "https://127.0.0.1:$tls/park?then=die"], [1 => ['pipe', 'w']], $pipes);
wait_until(fn () => is_file($server->place('token')), 'it is detached');
$gone();
echo $server->get('/answer')->body, ' ', preg_replace('/\d{3,}\|/', 'N|', stream_get_contents($pipes[1])), "\n";
proc_close($curl);

// The reactor dies, and with it what it holds.
$client = $park('/park');
posix_kill((int) $server->get('/reactor')->body, SIGKILL);
echo var_export($client->rest(), true), ' ';
wait_until(function () use ($server) {
    try {
        return $server->get('/stats')->status === 200;
    } catch (Throwable) {
        return false;
    }
}, 'the next reactor');
echo $server->get('/answer')->body, ' ', $server->get('/stats')->body, "\n";
echo $server->stop(), "\n";
?>
--EXPECT--
killed: true 200 its fields, another worker
reloaded: true 200 its fields, another worker
replaced: true 200 its fields, another worker
{"concurrency":1,"lost_count":0,"stray_count":0,"detached_num":0}
true by N|2 200
'' false {"concurrency":1,"lost_count":0,"stray_count":0,"detached_num":0}
0
