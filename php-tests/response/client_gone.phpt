--TEST--
A client that leaves: write() and end() return false, isWritable() says so, nothing is logged
--SKIPIF--
<?php extension_loaded('sockets') || print 'skip needs the sockets extension'; ?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $path = $request->server['request_uri'];
    if ($path === '/told') {
        return $response->end(file_get_contents(place('told')));
    }
    $told = [$response->isWritable()];
    touch(place('ready'));
    $until = microtime(true) + 10;
    if ($path === '/write') {
        while ($response->write("x\n") && microtime(true) < $until) {
            usleep(1000);
        }
    }
    while ($response->isWritable() && microtime(true) < $until) {
        usleep(1000);
    }
    array_push($told, microtime(true) < $until, $response->write('a'), $response->end('b'), $response->isWritable());
    tell('told', json_encode($told));
    CODE);

function leave(TestServer $server, string $target, bool $reset): void
{
    $connection = $server->connect();
    if ($reset) {
        $socket = socket_import_stream($connection->socket);
        socket_set_option($socket, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
    }
    $connection->request('GET', $target);
    wait_until(fn () => file_exists($server->place('ready')), 'the handler runs');
    $connection->close();
    unset($socket, $connection);
    wait_until(fn () => file_exists($server->place('told')), 'the handler is done');
    echo $server->get('/told')->body, "\n";
    unlink($server->place('told'));
    unlink($server->place('ready'));
}

leave($server, '/write', false);
leave($server, '/write', true);
leave($server, '/wait', true);
// It has closed, and not reset: what it is sent goes out, but it has left.
leave($server, '/wait', false);
echo $server->log();
?>
--EXPECT--
[true,true,false,false,false]
[true,true,false,false,false]
[true,true,false,false,false]
[true,true,true,true,false]
