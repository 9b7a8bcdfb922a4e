--TEST--
connection_aborted() and connection_status() tell that the client has left while the handler runs
--SKIPIF--
<?php extension_loaded('openssl') || print 'skip needs the openssl extension'; ?>
--FILE--
<?php
require __DIR__ . '/../show.inc';
require __DIR__ . '/../tls/tls.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $tls = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
    $tls->set(['tls' => 'dev']);
    $server->on('Request', function ($request, $response) {
        $path = $request->server['request_uri'];
        if ($path === '/told') {
            return $response->end(@file_get_contents(place('told')) ?: 'no');
        }
        $told = [connection_aborted(), connection_status()];
        register_shutdown_function(function () use (&$told) {
            $told[] = 'shutdown ' . connection_status();
            file_put_contents(place('told'), json_encode($told));
        });
        touch(place('ready'));
        $until = microtime(true) + 10;
        if ($path !== '/poll') {
            ignore_user_abort(false);
        }
        $asked = $path === '/status' ? connection_status(...) : connection_aborted(...);
        while (match ($path) {
            '/write' => $response->write('x'),
            '/writable' => $response->isWritable(),
            '/echo', '/exit' => true,
            default => $asked() === 0,
        } && microtime(true) < $until) {
            if ($path === '/echo') {
                echo '.';
            }
            if ($path === '/exit' && connection_aborted()) {
                $response->end('never');
            }
            usleep(1000);
        }
        $told[] = microtime(true) < $until ? 'in time' : 'late';
        $told[] = connection_status();
        if ($path === '/poll') {
            $told[] = $response->write('goes on');
        }
        if ($path === '/sendfile') {
            $response->sendfile(__FILE__);
        }
        $told[] = 'behind';
    });
    CODE);

foreach ([false, true] as $secure) {
    foreach (['/poll', '/status', '/writable', '/write', '/echo', '/exit', '/sendfile'] as $path) {
        $connection = $secure ? tls_connect($server->ports[1]) : $server->connect();
        $connection->request('GET', $path);
        wait_until(fn () => file_exists($server->place('ready')), 'the handler runs');
        $connection->close();
        wait_until(fn () => ($told = $server->get('/told')->body) !== 'no', 'it is done');
        echo $path, ' ', $server->get('/told')->body, "\n";
        unlink($server->place('told'));
        unlink($server->place('ready'));
    }
}
echo preg_replace('/^.*TLS.*\n/m', '', $server->log());
?>
--EXPECT--
/poll [0,0,"in time",1,true,"behind","shutdown 1"]
/status [0,0,"in time",1,"behind","shutdown 1"]
/writable [0,0,"in time",1,"behind","shutdown 1"]
/write [0,0,"shutdown 1"]
/echo [0,0,"shutdown 1"]
/exit [0,0,"shutdown 1"]
/sendfile [0,0,"in time",1,"shutdown 1"]
/poll [0,0,"in time",1,true,"behind","shutdown 1"]
/status [0,0,"in time",1,"behind","shutdown 1"]
/writable [0,0,"in time",1,"behind","shutdown 1"]
/write [0,0,"shutdown 1"]
/echo [0,0,"shutdown 1"]
/exit [0,0,"shutdown 1"]
/sendfile [0,0,"in time",1,"shutdown 1"]
