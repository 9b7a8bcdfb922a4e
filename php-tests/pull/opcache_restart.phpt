--TEST--
Pull: opcache_reset() kills nobody, and opcache begins anew when no worker uses its memory
--SKIPIF--
<?php
exec(escapeshellarg(PHP_BINARY) . ' -n -d zend_extension=opcache -m 2>/dev/null', $modules);
if (!in_array('Zend OPcache', $modules, true)) die('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/pull.inc';

$ini = ['zend_extension' => 'opcache', 'opcache.enable_cli' => 1, 'opcache.file_update_protection' => 0, 'opcache.force_restart_timeout' => 1];
$script = '$handler = function () { if (isset($_GET["reset"])) opcache_reset(); $status = opcache_get_status(false); echo json_encode([getmypid(), $status["restart_pending"], $status["opcache_statistics"]["manual_restarts"]]); };'
    . ' while (ferrite_handle_request($handler)); ';
foreach ([1, 2] as $workers) {
    $server = pull($script, "'worker_num' => $workers", ini: $ini);
    $server->get('/?reset');
    $end = microtime(true) + 1.5;
    while (microtime(true) < $end) {
        $server->get('/');
    }
    // Each of these is a request of PHP's that begins, and looks for whom opcache waits.
    [$before] = json_decode($server->get('/')->body);
    $server->signal(SIGUSR1);
    $answer = [];
    wait_until(function () use ($server, $before, &$answer) {
        $answer = json_decode($server->get('/')->body);
        return $answer[0] !== $before;
    }, 'a new worker answers');
    echo "$workers: ", json_encode(array_slice($answer, 1)), ' ', str_contains($server->log(), 'signal') ? 'killed' : 'nobody was killed', ' ', $server->stop(), "\n";
}
?>
--EXPECT--
1: [true,0] nobody was killed 0
2: [true,0] nobody was killed 0
