--TEST--
Past the length or the age of the queue: 503 with Retry-After
--FILE--
<?php
require __DIR__ . '/../server.inc';

function server(string $options): TestServer
{
    return TestServer::start(<<<CODE
        \$server->set(['worker_num' => 1, 'reactor_num' => 1, $options]);
        \$server->on('Request', function (\$request, \$response) {
            if (\$request->server['request_uri'] === '/wait') {
                file_put_contents('php://fd/3', "waits\\n");
                while (!file_exists(place('go'))) {
                    usleep(2000);
                }
            }
            \$response->end('served');
        });
        CODE);
}

echo "length:\n";
$server = server("'request_queue_len_max' => 1");
$first = $server->connect();
$first->request('GET', '/wait');
$server->line();
$waiting = $server->connect();
$waiting->request('GET', '/');
// One of these fills the queue, if the one above does not.
$response = null;
wait_until(function () use ($server, &$response) {
    $connection = $server->connect();
    $connection->request('GET', '/');
    try {
        $response = $connection->response(seconds: 0.2);
        return true;
    } catch (RuntimeException) {
        return false;
    }
}, 'the queue is full');
echo $response->status, ' ', preg_match('/^\d+$/', $response->header('Retry-After')), "\n";
touch($server->place('go'));
echo $first->response()->body, ' ', $waiting->response()->body, "\n";
$server->stop();

echo "age:\n";
$server = server("'request_queue_timeout' => 0.2");
$first = $server->connect();
$first->request('GET', '/wait');
$server->line();
$response = $server->get('/');
echo $response->status, ' ', preg_match('/^\d+$/', $response->header('Retry-After')), "\n";
touch($server->place('go'));
echo $first->response()->body, "\n";
echo $server->get('/')->body, "\n";
$server->stop();
?>
--EXPECT--
length:
503 1
served served
age:
503 1
served
served
