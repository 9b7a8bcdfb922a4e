--TEST--
Opcache with its JIT works in workers, also when they are replaced often
--SKIPIF--
<?php
exec(escapeshellarg(PHP_BINARY) . ' -n -d zend_extension=opcache -m 2>/dev/null', $modules);
if (!in_array('Zend OPcache', $modules, true)) die('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'max_request' => 5]);
    $server->on('Request', function ($request, $response) {
        $sum = 0;
        for ($i = 0; $i < 2000; $i++) {
            $sum += $i;
        }
        $response->end($sum . ' ' . json_encode(opcache_get_status(false)['opcache_enabled']));
    });
    CODE, ['zend_extension' => 'opcache', 'opcache.enable_cli' => 1, 'opcache.jit' => 'tracing',
    'opcache.jit_buffer_size' => '16M']);
$answers = [];
$connection = $server->connect();
for ($i = 0; $i < 100; $i++) {
    $connection->request('GET', '/');
    $answers[$connection->response()->body] ??= 0;
}
echo implode("\n", array_keys($answers)), "\n";
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
1999000 true
int(0)
