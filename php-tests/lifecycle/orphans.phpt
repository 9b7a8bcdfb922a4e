--TEST--
No process survives the supervisor, not even after kill -9
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 3]);
    $server->on('Request', function ($request, $response) {
        file_put_contents('php://fd/3', "busy\n");
        sleep(60);
    });
    CODE);
$connection = $server->connect();
$connection->request('GET', '/');
$server->line();
$children = $server->children();
var_dump(count($children));
$server->signal(SIGKILL);
echo $server->wait(), "\n";
$server->waitForAll();
wait_until(fn () => !array_filter($children, is_alive(...)), 'the children are gone');
echo "none left\n";
?>
--EXPECT--
int(4)
137
none left
