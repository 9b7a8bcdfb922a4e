--TEST--
Output that cannot be written costs no client its answer
--SKIPIF--
<?php
if (!file_exists('/dev/full')) die('skip needs /dev/full');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    fclose(STDOUT);
    $full = fopen('/dev/full', 'w'); // takes the place of descriptor 1
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1]);
    $server->on('Start', function ($server) { echo "up\n"; ready($server); });
    $server->on('Request', function ($request, $response) {
        if (isset($request->get['off'])) {
            ignore_user_abort(false);
        }
        echo "before\n";
        $response->write(getmypid() . ' ');
        echo "between\n";
        ob_start();
        echo 'kept';
        $response->end(ob_get_clean());
        echo "after\n";
        file_put_contents(place('status'), connection_status(), FILE_APPEND);
    });
    $server->start();
    CODE);
[$first, $second] = [$server->get('/')->body, $server->get('/?off')->body];
var_dump($server->get('/')->body === $first);
echo preg_replace('/\d+/', '', $first), "\n";
var_dump($first === $second);
echo $server->stop(), "\n", file_get_contents($server->place('status')), "\n", $server->output();
?>
--EXPECTF--
bool(true)
 kept
bool(true)
0
000
%s INFO  supervisor [%d] the server stops
