--TEST--
A child of a worker that lives on: it holds nobody up, and nothing of the worker's
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/../show.inc';

foreach (['a child', 'a daemon'] as $kind) {
    $server = serve(<<<'CODE'
        switch ($request->server['request_uri']) {
            case '/pid': return $response->end((string) getmypid());
            case '/child':
                if (($pid = pcntl_fork()) === 0) {
                    if ($request->get['kind'] === 'a daemon') {
                        posix_setsid();
                        if (pcntl_fork() !== 0) exit(0);
                    }
                    file_put_contents(place('child.new'), getmypid());
                    rename(place('child.new'), place('child'));
                    while (!file_exists(place('go'))) usleep(5000);
                    $sockets = [];
                    foreach (array_diff(scandir('/proc/self/fd'), ['.', '..']) as $number) {
                        $name = (string) @readlink("/proc/self/fd/$number");
                        // Not those that whoever runs this test has left to it.
                        $flags = preg_match('/^flags:\s+(\d+)$/m', (string) @file_get_contents("/proc/self/fdinfo/$number"), $found);
                        if (str_starts_with($name, 'socket:') && octdec($found[1]) & 02000000) $sockets[] = $name;
                    }
                    file_put_contents(place('gone'), implode(' ', $sockets));
                    exit(0);
                }
                if ($request->get['kind'] === 'a daemon') pcntl_waitpid($pid, $status);
                while (!file_exists(place('child'))) usleep(1000);
                return $response->end(file_get_contents(place('child')));
            case '/die': posix_kill(getmypid(), SIGKILL);
        }
        CODE);
    $worker = $server->get('/pid')->body;
    $child = (int) $server->get('/child?kind=' . urlencode($kind))->body;
    // One request is started, the others wait behind it.
    $connections = array_map(fn () => $server->connect(), range(0, 2));
    $connections[0]->request('GET', '/die');
    foreach ([1, 2] as $n) $connections[$n]->request('GET', '/pid');
    echo "$kind: ", $connections[0]->response()->status, ', ';
    foreach ([1, 2] as $n) {
        $response = $connections[$n]->response();
        echo $response->status, ' ', $response->body !== $worker ? 'by another worker' : 'by the dead one', ', ';
    }
    echo is_alive($child) ? "the child lives\n" : "the child is gone\n";
    $port = $server->port;
    echo $server->stop(), ', ', is_alive($child) ? "the child lives\n" : "the child is gone\n";
    // Nobody holds the port.
    echo @stream_socket_server("tcp://127.0.0.1:$port") ? "the port is free\n" : "the port is taken\n";
    touch($server->place('go'));
    wait_until(fn () => !is_alive($child), 'the child ends');
    // Those that were the worker's are one dead socket now.
    echo count(array_unique(explode(' ', file_get_contents($server->place('gone'))))), " socket\n";
}
?>
--EXPECT--
a child: 502, 200 by another worker, 200 by another worker, the child lives
0, the child lives
the port is free
1 socket
a daemon: 502, 200 by another worker, 200 by another worker, the child lives
0, the child lives
the port is free
1 socket
