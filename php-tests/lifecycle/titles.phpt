--TEST--
Process titles tell who is who
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE);
wait_until(fn () => array_keys($server->children()) === ['reactor', 'worker 0', 'worker 1'], 'every process has its title');
echo process_title($server->pid), "\n";
$server->stop();
?>
--EXPECT--
ferrite: supervisor server.php
