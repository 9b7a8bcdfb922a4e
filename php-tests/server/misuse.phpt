--TEST--
Methods that come too early, too late or in the wrong process are exceptions
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    function attempt(callable $do): string
    {
        try {
            return json_encode($do());
        } catch (Throwable $error) {
            return $error::class . ': ' . $error->getMessage();
        }
    }
    echo 'no handler: ', preg_replace('/:\d+:/', ':PORT:', attempt(fn () => $server->start())), "\n";
    foreach (['shutdown', 'reload', 'reloadTls', 'stop', 'stats', 'getWorkerId', 'getWorkerPid', 'getMasterPid'] as $method) {
        echo "$method: ", attempt(fn () => $server->$method()), "\n";
    }
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) use ($server) {
        $lines = '';
        foreach ([
            'start' => fn () => $server->start(),
            'set' => fn () => $server->set(['worker_num' => 2]),
            'on' => fn () => $server->on('Request', 'strlen'),
            'listen' => fn () => $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP),
            'port set' => fn () => $server->ports[0]->set(['backlog' => 2]),
            'port on' => fn () => $server->ports[0]->on('Request', 'strlen'),
            'stop' => fn () => $server->stop(7),
            'pid' => fn () => $server->getWorkerPid(7),
            'own pid' => fn () => $server->getWorkerPid() === getmypid() && $server->getWorkerPid(0) === getmypid(),
            'id' => fn () => $server->getWorkerId() === $server->worker_id,
            'pids' => fn () => [$server->getMasterPid() === $server->master_pid, $server->worker_pid === getmypid()],
        ] as $what => $do) {
            $lines .= "$what: " . attempt($do) . "\n";
        }
        $response->end($lines);
    });
    $server->on('Start', function ($server) {
        echo 'start: ', attempt(fn () => $server->start()), "\n";
        ready($server);
    });
    $started = attempt(fn () => $server->start());
    echo "started: $started\n";
    echo 'again: ', attempt(fn () => $server->start()), "\n";
    echo 'shutdown: ', attempt(fn () => $server->shutdown()), "\n";
    CODE);
echo $server->get('/')->body;
$server->stop();
echo "---\n", $server->out();
?>
--EXPECT--
start: Ferrite\Exception: A worker cannot start its own server again
set: Ferrite\Exception: set() is possible before start() only
on: Ferrite\Exception: on() is possible before start() only
listen: Ferrite\Exception: listen() is possible before start() only
port set: Ferrite\Exception: set() is possible before start() only
port on: Ferrite\Exception: on() is possible before start() only
stop: ValueError: Ferrite\Http\Server::stop(): Argument #1 ($workerId) must be -1 or below 1, 7 given
pid: false
own pid: true
id: true
pids: [true,true]
---
no handler: Ferrite\Exception: There is no callback for 'Request' on 127.0.0.1:PORT: call on('Request', …) before start()
shutdown: Ferrite\Exception: The server is not running
reload: Ferrite\Exception: The server is not running
reloadTls: Ferrite\Exception: The server is not running
stop: Ferrite\Exception: The server is not running
stats: Ferrite\Exception: The server is not running
getWorkerId: false
getWorkerPid: false
getMasterPid: 0
start: Ferrite\Exception: The server runs already
started: true
again: Ferrite\Exception: A server can be started once only
shutdown: Ferrite\Exception: The server is not running
