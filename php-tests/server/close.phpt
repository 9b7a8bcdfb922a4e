--TEST--
close() ends a connection from any worker: over HTTP/1.1, TLS and HTTP/2; what has been answered is still sent
--SKIPIF--
<?php
extension_loaded('openssl') || die('skip openssl is the client');
str_contains((string) shell_exec('curl --version'), 'HTTP2') || print 'skip needs curl with HTTP/2';
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $tls = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'tls' => 'dev']);
    $server->on('WorkerStart', fn ($server) => file_put_contents(place('early'), json_encode($server->close(1)) . "\n", FILE_APPEND));
    $server->on('Start', function ($server) {
        ready($server);
        file_put_contents('php://fd/3', 'supervisor ' . json_encode($server->close(1)) . "\n");
    });
    $server->on('Close', fn ($server, $fd) => file_put_contents('php://fd/3', "closed $fd\n"));
    $server->on('Request', function ($request, $response) use ($server) {
        $get = $request->get;
        switch ($request->server['path_info']) {
            case '/fd': return $response->end((string) $request->fd);
            case '/close': return $response->end(json_encode($server->close((int) $get['fd'])));
            case '/own':
                $response->end(str_repeat('x', 300_000));
                return $server->close($request->fd);
            case '/slow':
                $response->write('begun');
                file_put_contents('php://fd/3', "fd $request->fd\n");
                while ($response->isWritable()) usleep(1000);
                file_put_contents('php://fd/3', 'write ' . json_encode($response->write('more')) . "\n");
        }
    });
    $server->start();
    CODE);

echo $server->line(), ', workers ', str_replace("\n", ' ', file_get_contents($server->place('early'))), "\n";
$tls = $server->ports[1];

$cleartext = fn () => $server->connect();
$encrypted = fn () => new TestConnection(stream_socket_client("ssl://127.0.0.1:$tls", $code, $message, DEADLINE, STREAM_CLIENT_CONNECT,
    stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]])));
foreach (['http' => $cleartext, 'https' => $encrypted] as $name => $connect) {
    // One that is idle, by whichever worker.
    $idle = $connect();
    $idle->request('GET', '/fd');
    $fd = $idle->response()->body;
    echo "$name: ", $server->get("/close?fd=$fd")->body, ' ', var_export($idle->rest(), true), ' ';
    do {
        $line = $server->line();
    } while ($line !== "closed $fd");
    // A number that is nobody's any more.
    echo $server->get("/close?fd=$fd")->body, ' ';
    // One that a worker is just answering.
    $busy = $connect();
    $busy->request('GET', '/slow');
    do {
        $line = $server->line();
    } while (!str_starts_with($line, 'fd '));
    echo $server->get('/close?fd=' . substr($line, 3))->body, ' ', str_ends_with($busy->rest(), "5\r\nbegun\r\n") ? 'broken off' : 'otherwise', ' ';
    do {
        $line = $server->line();
    } while (!str_starts_with($line, 'write '));
    echo $line, ' ';
    // Its own, behind the end.
    $own = $connect();
    $own->request('GET', '/own');
    echo strlen($own->response()->body), ' ', var_export($own->rest(), true), "\n";
}
foreach (['0', '-1', '-9223372036854775808', '9223372036854775807', '1000000'] as $nobody) {
    echo $server->get("/close?fd=$nobody")->body, ' ';
}
echo "\n";

// HTTP/2 by TLS: what is in work is reset, what was answered arrives.
$curl = proc_open(['curl', '-sk', '--http2', '-m', '60', '-w', '|%{http_version} %{exitcode}', "https://127.0.0.1:$tls/slow"], [1 => ['pipe', 'w']], $pipes);
do {
    $line = $server->line();
} while (!str_starts_with($line, 'fd '));
echo 'h2: ', $server->get('/close?fd=' . substr($line, 3))->body, ' ', preg_replace('/ [1-9]\d*$/', ' error', stream_get_contents($pipes[1])), "\n";
proc_close($curl);
exec("curl -sk --http2 -m 60 https://127.0.0.1:$tls/own https://127.0.0.1:$tls/fd -w '|%{http_version} %{exitcode}\n'", $output);
echo strlen($output[0] ?? ''), ' ';
foreach ($output as $line) {
    echo preg_replace(['/^x+\|/', '/^\d+\|/'], ['all|', 'fd|'], $line), "\n";
}
echo $server->stop(), "\n";
?>
--EXPECT--
supervisor false, workers false false 
http: true '' true true broken off write false 300000 ''
https: true '' true true broken off write false 300000 ''
false false false false false 
h2: true begun|2 error
300004 all|2 0
fd|2 0
0
