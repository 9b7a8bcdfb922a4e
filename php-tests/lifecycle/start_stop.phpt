--TEST--
SIGTERM and SIGINT stop the server in order: callbacks, exit code 0, no process left
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach (['SIGTERM' => SIGTERM, 'SIGINT' => SIGINT] as $name => $signal) {
    $server = TestServer::script(<<<'CODE'
        function note(string $text): void { file_put_contents(place('notes'), "$text\n", FILE_APPEND); }
        $server = new Ferrite\Http\Server('127.0.0.1', 0);
        $server->set(['worker_num' => 1]);
        $supervisor = getmypid();
        $server->on('Start', function ($server) use ($supervisor) {
            note('Start ' . json_encode([getmypid() === $supervisor, $server->master_pid === $supervisor, $server->worker_id]));
            ready($server);
        });
        $server->on('WorkerStart', fn ($server, int $id) => note("WorkerStart $id " . json_encode(getmypid() !== $supervisor)));
        $server->on('WorkerStop', fn ($server, int $id) => note("WorkerStop $id " . json_encode($server->worker_pid === getmypid())));
        $server->on('Shutdown', fn ($server) => note('Shutdown ' . json_encode(getmypid() === $supervisor)));
        $server->on('Request', fn ($request, $response) => $response->end('hello'));
        note('before');
        note('after ' . json_encode($server->start()));
        CODE);
    echo $server->get('/')->body, "\n";
    echo $name, ' ', $server->stop($signal), "\n";
    $server->waitForAll();
    echo file_get_contents($server->place('notes'));
}
?>
--EXPECT--
hello
SIGTERM 0
before
WorkerStart 0 true
Start [true,true,-1]
WorkerStop 0 true
Shutdown true
after true
hello
SIGINT 0
before
WorkerStart 0 true
Start [true,true,-1]
WorkerStop 0 true
Shutdown true
after true
