--TEST--
Children do not run what belongs to the parent
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    function note(string $text): void { file_put_contents(place('notes'), "$text\n", FILE_APPEND); }
    $supervisor = getmypid();
    $who = fn () => getmypid() === $supervisor ? 'supervisor' : 'child';
    register_shutdown_function(fn () => note('shutdown function in ' . $who()));
    ob_start();
    echo "buffered\n";
    mt_srand(42);
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 2]);
    $server->on('Start', ready(...));
    $server->on('WorkerStart', function ($server, $id) {
        register_shutdown_function(fn () => note("own shutdown function in worker $id"));
        echo "echo in worker $id\n";
        file_put_contents('php://fd/3', '');
        file_put_contents(place("random$id"), mt_rand() . ' ' . mt_rand());
    });
    $server->on('Request', fn ($request, $response) => $response->end());
    try {
        $server->start();
    } finally {
        note('finally in ' . $who());
    }
    note('after start() in ' . $who());
    CODE);
$server->get('/');
var_dump($server->stop());
$server->waitForAll();
$notes = file($server->place('notes'));
sort($notes);
echo implode('', $notes);
var_dump(substr_count($server->out(), 'buffered'));
var_dump(substr_count($server->out(), 'echo in worker'));
mt_srand(42);
$parents = mt_rand() . ' ' . mt_rand();
$random = array_map(fn ($id) => file_get_contents($server->place("random$id")), [0, 1]);
var_dump($random[0] !== $random[1], in_array($parents, $random, true));
?>
--EXPECT--
int(0)
after start() in supervisor
finally in supervisor
own shutdown function in worker 0
own shutdown function in worker 1
shutdown function in supervisor
int(1)
int(2)
bool(true)
bool(false)
