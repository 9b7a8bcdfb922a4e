--TEST--
No server is started in a process of a running one
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    function another(): string {
        try {
            $other = new Ferrite\Http\Server('127.0.0.1', 0);
            $other->on('Request', fn () => 0);
            $other->start();
            return 'started';
        } catch (Ferrite\Exception $exception) {
            return $exception->getMessage();
        }
    }
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1]);
    $server->on('Start', function ($server) { echo another(), "\n"; ready($server); });
    $server->on('Request', fn ($request, $response) => $response->end(another()));
    $server->start();
    // One after the other is fine.
    $second = new Ferrite\Http\Server('127.0.0.1', 0);
    $second->set(['worker_num' => 1]);
    $second->on('Start', ready(...));
    $second->on('Request', fn ($request, $response) => $response->end('second'));
    $second->start();
    echo "done\n";
    CODE);
echo $server->get('/')->body, "\n", $server->get('/')->status, "\n";
$server->signal(SIGTERM);
$server->port = (int) $server->line();
echo $server->get('/')->body, "\n", $server->stop(), "\n", $server->out();
?>
--EXPECT--
No other server can be started in a process of a running one: start it by a script of its own
200
second
0
No other server can be started in a process of a running one: start it by a script of its own
done
