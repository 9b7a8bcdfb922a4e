--TEST--
A stop waits for requests in flight up to max_wait_time; a second signal does not wait
--FILE--
<?php
require __DIR__ . '/../server.inc';

function server(float $patience): TestServer
{
    return TestServer::start(<<<CODE
        \$server->set(['worker_num' => 2, 'max_wait_time' => $patience]);
        \$server->on('Request', function (\$request, \$response) use (\$server) {
            file_put_contents('php://fd/3', "started\\n");
            // Waits for a file, or for ever.
            while (!file_exists(place('go'))) {
                usleep(2000);
            }
            \$response->end('finished');
        });
        CODE);
}

echo "in time:\n";
$server = server(15);
$connection = $server->connect();
$connection->request('GET', '/');
$server->line();
$server->signal(SIGTERM);
$server->waitForLog('/the server stops/');
// Nobody gets in any more.
wait_until(fn () => @stream_socket_client("tcp://127.0.0.1:$server->port") === false, 'the port is closed');
touch($server->place('go'));
$response = $connection->response();
echo $response->status, ' ', $response->body, ' ', $response->header('connection'), "\n";
echo 'exit ', $server->wait(), "\n";
$server->waitForAll();

echo "too late:\n";
$server = server(0.3);
$connection = $server->connect();
$connection->request('GET', '/');
$server->line();
$server->signal(SIGTERM);
echo 'exit ', $server->wait(10), "\n";
$server->waitForAll();

echo "second signal:\n";
$server = server(600);
$connection = $server->connect();
$connection->request('GET', '/');
$server->line();
$server->signal(SIGTERM);
$server->waitForLog('/the server stops/');
var_dump($server->poll());
$server->signal(SIGTERM);
$server->wait(10);
$server->waitForAll();
echo "ended\n";
?>
--EXPECT--
in time:
200 finished close
exit 0
too late:
exit 0
second signal:
bool(true)
ended
