--TEST--
script: opcache.preload runs once, in the supervisor; opcache serves all workers
--SKIPIF--
<?php
exec(escapeshellarg(PHP_BINARY) . ' -n -d zend_extension=opcache -m 2>/dev/null', $modules);
if (!in_array('Zend OPcache', $modules, true)) die('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/classic.inc';

$preload = tempnam(sys_get_temp_dir(), 'ferrite-preload');
file_put_contents($preload, '<?php class Preloaded { const BY = PHP_SAPI; } file_put_contents(__FILE__ . ".runs", "x", FILE_APPEND);');
$server = classic(['index.php' => '<?php echo json_encode([class_exists("Preloaded", false), PHP_SAPI, opcache_get_status(false)["opcache_enabled"], isset(opcache_get_status()["scripts"][__FILE__])]);'],
    "'worker_num' => 2", ['zend_extension' => 'opcache', 'opcache.enable_cli' => 1, 'opcache.file_update_protection' => 0, 'opcache.preload' => $preload, 'opcache.preload_user' => get_current_user(), 'opcache.jit' => 'tracing', 'opcache.jit_buffer_size' => '16M']);
$server->get('/');
$answers = [];
$connection = $server->connect();
for ($i = 0; $i < 300; $i++) {
    $connection->request('GET', '/');
    $answers[$connection->response()->body] = true;
}
echo implode("\n", array_keys($answers)), "\n";
echo file_get_contents("$preload.runs"), "\n";
unlink($preload);
unlink("$preload.runs");
echo $server->stop(), "\n";
?>
--EXPECT--
[true,"ferrite",true,true]
x
0
