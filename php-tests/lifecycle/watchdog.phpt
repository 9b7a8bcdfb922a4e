--TEST--
A reactor that does nothing for reactor_watchdog_time is named in the log and replaced; one that idles is not
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'reactor_watchdog_time' => 2]);
    $server->on('Request', fn ($request, $response) => $response->end((string) getmypid()));
    CODE);
wait_until(fn () => isset($server->children()['worker 0'], $server->children()['worker 1'], $server->children()['reactor']), 'all have their titles');
$before = $server->children();
// Both threads have nothing to do.
sleep(5);
var_dump($server->children()['reactor'] === $before['reactor']);
send_signal($before['reactor'], SIGSTOP);
$server->waitForLog("/thread \d of the reactor \(pid {$before['reactor']}\) has done nothing for \d\.\d s: the reactor is killed and started again; raise reactor_watchdog_time/");
var_dump(in_array((int) $server->get('/')->body, [$before['worker 0'], $before['worker 1']], true));
$after = $server->children();
var_dump($after['reactor'] !== $before['reactor']);
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
int(0)
