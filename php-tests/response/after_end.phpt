--TEST--
An ended response reaches its client while its handler works on, whatever waits behind it
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1]);
    $server->on('Request', function ($request, $response) use ($server) {
        $wait = function (string $name) {
            while (!file_exists(place($name))) {
                usleep(1000);
            }
        };
        match ($request->server['path_info']) {
            '/first' => $wait('first'),
            default => null,
        };
        $response->end($request->server['path_info'] . ' ' . var_export($response->isWritable(), true));
        match ($request->server['path_info']) {
            '/small', '/large' => $wait('done'),
            default => null,
        };
    });
    CODE);

// Nobody else waits: the answer is written at once.
$connection = $server->connect();
$connection->request('GET', '/small');
echo $connection->response()->body, "\n";
touch($server->place('done'));

// A worker that is fast is given requests ahead, and then it does not write each answer by itself.
for ($i = 0; $i < 200; $i++) {
    $connection->request('GET', '/');
    $connection->response();
}
unlink($server->place('done'));
$paths = ['/first', '/small', '/second', '/third'];
$connections = [];
foreach ($paths as $path) {
    $connections[$path] = $server->connect();
    $connections[$path]->request('GET', $path);
}
usleep(50_000); // so that all are handed over; were they not, the test would only show less
touch($server->place('first'));
// The handler of this one goes on until the file is there.
echo $connections['/first']->response()->body, "\n";
echo $connections['/small']->response()->body, "\n";
touch($server->place('done'));
echo $connections['/second']->response()->body, "\n";
echo $connections['/third']->response()->body, "\n";
echo $server->stop(), "\n";
?>
--EXPECT--
/small true
/first true
/small true
/second true
/third true
0
