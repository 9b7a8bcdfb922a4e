--TEST--
script: opcache begins anew after opcache_reset() and when it is full, as under php-fpm, and the supervisor lives on
--SKIPIF--
<?php
exec(escapeshellarg(PHP_BINARY) . ' -n -d zend_extension=opcache -m 2>/dev/null', $modules);
if (!in_array('Zend OPcache', $modules, true)) die('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/classic.inc';

const STATUS = '<?php $status = opcache_get_status(false); echo json_encode([opcache_is_script_cached(__FILE__), $status["restart_pending"], $status["opcache_statistics"]["manual_restarts"], $status["opcache_statistics"]["oom_restarts"] > 0]);';
$ini = ['zend_extension' => 'opcache', 'opcache.enable_cli' => 1, 'opcache.file_update_protection' => 0, 'opcache.force_restart_timeout' => 1];

$files = ['index.php' => STATUS, 'reset.php' => '<?php var_dump(opcache_reset());'];
$server = TestServer::start(<<<'CODE'
    $server->on('WorkerError', fn (...$arguments) => tell('error', told_by_a_function(...$arguments)));
    function told_by_a_function(object $server, int $worker, int $pid, int $code, int $signal, string $reason): string
    {
        return "worker $worker: signal $signal";
    }
    CODE . "\n" . files($files), $ini);
$supervisor = $server->pid;
$is = fn (string $wanted) => fn () => $server->get('/')->body === $wanted;
wait_until($is('[true,false,0,false]'), 'the script is cached');
for ($reset = 1; $reset <= 3; $reset++) {
    echo $server->get('/reset.php')->body;
    wait_until($is("[true,false,$reset,false]"), 'the script is cached anew');
}
// It would kill the supervisor after this time.
$end = microtime(true) + 1.5;
while (microtime(true) < $end) {
    $server->get('/');
}
echo is_alive($supervisor) ? "the supervisor lives\n" : "the supervisor is dead\n";

// The supervisor's own functions, and workers that it makes afterwards.
$server->get('/killed.php');
wait_until(fn () => $server->told('error') !== '', 'the callback has run');
echo $server->told('error'), "\n";
wait_until($is('[true,false,3,false]'), 'the next worker shares the memory');
$server->signal(SIGUSR1);
wait_until($is('[true,false,3,false]'), 'and so does one after a reload');
echo $server->stop(), "\n";

// Full, of scripts that have changed.
$server = TestServer::start(files($files), ['opcache.memory_consumption' => 8, 'opcache.interned_strings_buffer' => 1, 'opcache.max_wasted_percentage' => 1, 'opcache.validate_timestamps' => 1, 'opcache.revalidate_freq' => 0] + $ini);
$answer = '';
wait_until(function () use ($server, &$answer) {
    $server->get('/fill.php');
    return ($answer = $server->get('/')->body) === '[true,false,0,true]';
}, 'it has begun anew');
echo $answer, "\n", $server->stop(), "\n";

function files(array $files): string
{
    $files += [
        'killed.php' => '<?php posix_kill(getmypid(), SIGKILL);',
        'fill.php' => '<?php for ($i = 0; $i < 20; $i++) { $file = __DIR__ . "/large.php"; file_put_contents($file, "<?php return [" . str_repeat("[1, \"" . uniqid() . "\"], ", 2000) . "];"); opcache_invalidate($file, true); include $file; }',
    ];
    $files = var_export($files, true);
    return <<<CODE
        foreach ($files as \$path => \$content) {
            @mkdir(place('root'), recursive: true);
            file_put_contents(place("root/\$path"), \$content);
        }
        \$server->set(['worker_num' => 1, 'reactor_num' => 1, 'document_root' => place('root'), 'script' => 'index.php']);
        CODE;
}
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
the supervisor lives
worker 0: signal 9
0
[true,false,0,true]
0
