--TEST--
script: workers are replaced by a reload and by max_request, and no request fails; a copy that a script forks ends as a script
--SKIPIF--
<?php extension_loaded('posix') || print 'skip needs posix'; ?>
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => '<?php usleep(2000); echo getmypid();', 'fork.php' => <<<'PHP'
    <?php
    if (!function_exists('pcntl_fork')) { exit('parent 7'); }
    $pid = pcntl_fork();
    if ($pid === 0) {
        echo 'child output';
        register_shutdown_function(fn () => exit(7));
        exit(3);
    }
    pcntl_waitpid($pid, $status);
    echo 'parent ', pcntl_wexitstatus($status);
    PHP], "'max_request' => 40, 'max_wait_time' => 10");
echo $server->get('/fork.php')->body, "\n";
$connection = $server->connect();
$seen = [];
$failed = 0;
$reloads = 0;
wait_until(function () use ($server, $connection, &$seen, &$failed, &$reloads) {
    $connection->request('GET', '/');
    $response = $connection->response();
    $failed += $response->status !== 200;
    $seen[$response->body] = ($seen[$response->body] ?? 0) + 1;
    if (array_sum($seen) % 30 === 0 && $reloads++ < 3) {
        $server->signal(SIGUSR1);
    }
    return count($seen) >= 8 && $reloads >= 3;
}, 'eight workers have served');
var_dump($failed);
echo $server->stop(), "\n";
$server->waitForAll();
echo preg_match('/WARN|ERROR/', $server->log()), "\n";
?>
--EXPECT--
parent 7
int(0)
0
0
