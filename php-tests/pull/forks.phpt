--TEST--
Pull: a copy that a callback or the script forks gets no requests, and ends as a script; clients that leave cost nothing
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/pull.inc';

$server = pull(<<<'PHP'
    register_shutdown_function(fn () => print 'the script ends in ' . ($GLOBALS['who'] ?? 'the worker') . "\n");
    $who = null;
    if (pcntl_fork() === 0) {
        $who = 'a copy of the start';
        try { ferrite_handle_request(fn () => 1); } catch (Ferrite\Exception $error) { echo $error->getMessage(), "\n"; }
        exit;
    }
    pcntl_wait($status);
    $handler = function () use (&$who) {
        $case = $_GET['case'] ?? '';
        if ($case === 'pid') { echo getmypid(); return; }
        if ($case === 'leave') { echo str_repeat('x', 100); flush(); for ($i = 0; $i < 2000 && !connection_aborted(); $i++) { usleep(1000); echo 'x'; flush(); } file_put_contents(__DIR__ . '/left', 'x'); return; }
        if ($case === 'left') { echo (int) file_exists(__DIR__ . '/left'); return; }
        $pid = pcntl_fork();
        if ($pid === 0) {
            $who = "the copy that $case";
            echo 'nobody sees this';
            switch ($case) {
                case 'returns': return;
                case 'exits': exit(7);
                case 'throws': throw new LogicException('of the copy');
                case 'is fatal': trigger_error('of the copy', E_USER_ERROR);
            }
        }
        pcntl_waitpid($pid, $status);
        echo "$case: ", pcntl_wexitstatus($status);
    };
    while (ferrite_handle_request($handler));
    PHP, "'php_ini' => ['display_errors' => 0]");
$worker = $server->get('/?case=pid')->body;
foreach (['returns', 'exits', 'throws', 'is fatal'] as $case) {
    echo $server->get('/?case=' . urlencode($case))->body, "\n";
}
$connection = $server->connect();
$connection->request('GET', '/?case=leave');
$connection->bytes(50);
$connection->close();
wait_until(fn () => $server->get('/?case=left')->body === '1', 'the callback sees that its client has left');
echo $server->get('/?case=pid')->body === $worker ? "the same worker\n" : "another worker\n", $server->stop(), "\n";
$server->waitForAll();
echo $server->out();
?>
--EXPECT--
returns: 0
exits: 7
throws: 255
is fatal: 255
the same worker
0
ferrite_handle_request() is for the worker: a process that it has forked gets no requests, and has to end
the script ends in a copy of the start
the script ends in the copy that returns
the script ends in the copy that exits
the script ends in the copy that throws
the script ends in the copy that is fatal
the script ends in the worker
