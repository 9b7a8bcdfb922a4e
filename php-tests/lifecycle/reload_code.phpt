--TEST--
A reload brings new code that workers load in WorkerStart
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $answer = 'none';
    $server->on('WorkerStart', function () use (&$answer) { $answer = require place('answer.php'); });
    $server->on('Request', function ($request, $response) use (&$answer) { $response->end($answer); });
    file_put_contents(place('answer.php'), '<?php return "old";');
    CODE);
echo $server->get('/')->body, "\n";
file_put_contents($server->place('answer.php'), '<?php return "new";');
$server->signal(SIGUSR1);
wait_until(fn () => $server->get('/')->body === 'new', 'the new code answers');
echo $server->get('/')->body, "\n";
$server->stop();
?>
--EXPECT--
old
new
