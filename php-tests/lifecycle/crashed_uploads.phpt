--TEST--
Uploads of a worker that is killed are removed, and nobody else's
--EXTENSIONS--
posix
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $up = place('up');
    mkdir($up);
    touch("$up/phpabcdef");
    $server->set(['worker_num' => 2, 'reactor_num' => 1, 'upload_tmp_dir' => $up]);
    $server->on('Request', function ($request, $response) {
        $files = $request->files;
        switch ($request->server['request_uri']) {
            case '/none': break;
            case '/die': posix_kill(getmypid(), SIGKILL);
            case '/wait':
                file_put_contents(place('waits'), $files['f']['tmp_name']);
                while (!file_exists(place('go'))) usleep(2000);
        }
        $response->end(json_encode([$files['f']['error'] ?? null, is_uploaded_file($files['f']['tmp_name'] ?? '')]));
    });
    CODE);
$body = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\ncontent\r\n--b--\r\n";
$post = fn (string $path) => $server->request('POST', $path, ['Content-Type' => 'multipart/form-data; boundary=b'], $body);
$left = fn () => array_values(array_diff(scandir($server->place('up')), ['.', '..']));

echo $post('/ok')->body, "\n";
$only = function () use ($left): string {
    wait_until(fn () => count($left()) === 1, 'nothing else is left');
    return $left()[0];
};
echo $only(), "\n";
// While one worker has its own, the other dies.
$connection = $server->connect();
$connection->request('POST', '/wait', ['Content-Type' => 'multipart/form-data; boundary=b'], $body);
wait_until(fn () => @file_get_contents($server->place('waits')), 'a worker has an upload');
$kept = file_get_contents($server->place('waits'));
for ($n = 0; $n < 3; $n++) {
    echo $post('/die')->status, ' ';
    wait_until(fn () => count($left()) === 2, 'what it has left is removed');
}
var_dump(file_get_contents($kept), dirname($kept, 2) === $server->place('up'));
touch($server->place('go'));
echo $connection->response()->body, ' ', $only(), "\n";
// At a stop as well, when nobody is replaced any more.
unlink($server->place('go'));
unlink($server->place('waits'));
$connection = $server->connect();
$connection->request('POST', '/wait', ['Content-Type' => 'multipart/form-data; boundary=b'], $body);
wait_until(fn () => @file_get_contents($server->place('waits')), 'a worker has an upload');
$server->signal(SIGTERM);
$server->signal(SIGTERM);
echo $server->wait(), ' ', json_encode($left()), "\n";
unlink($server->place('up/phpabcdef'));
rmdir($server->place('up'));
?>
--EXPECT--
[0,true]
phpabcdef
502 502 502 string(7) "content"
bool(true)
[0,true] phpabcdef
0 ["phpabcdef"]
