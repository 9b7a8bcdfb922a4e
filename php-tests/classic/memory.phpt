--TEST--
script: 10,000 requests leave the memory of the worker and its descriptors as they were
--SKIPIF--
<?php
exec(escapeshellarg(PHP_BINARY) . ' -n -d zend_extension=opcache -m 2>/dev/null', $modules);
if (!in_array('Zend OPcache', $modules, true)) die('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    require 'lib.php';
    session_id('abc'); session_save_path(__DIR__); session_start();
    $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
    set_error_handler(fn () => true);
    register_shutdown_function(fn () => null);
    preg_match('~^(\w+) ' . $_GET['i'] % 100 . '$~', 'x 1');
    ob_start();
    echo count($_SERVER) > 20 ? 'ok' : 'few', ' ', work((int) $_GET['i']), ' ', strlen(file_get_contents('php://input'));
    if ($_GET['i'] % 50 === 0) { throw new Exception('now and then'); }
    if ($_GET['i'] % 50 === 1) { exit; }
    PHP, 'lib.php' => '<?php class Node { public $other; } function work($i) { $a = new Node; $b = new Node; $a->other = $b; $b->other = $a; return strlen(str_repeat("x", $i % 1000)); }'],
    "'log_level' => Ferrite\\LOG_NONE, 'php_ini' => ['display_errors' => 0]", ['zend_extension' => 'opcache', 'opcache.enable_cli' => 1, 'opcache.validate_timestamps' => 0, 'opcache.file_update_protection' => 0]);
$worker = $server->children()['worker 0'];
$connection = $server->connect();
$statuses = [];
$run = function (int $from, int $to) use ($connection, &$statuses) {
    for ($i = $from; $i < $to; $i += 50) {
        for ($n = $i; $n < $i + 50; $n++) {
            $connection->request('POST', "/?i=$n", [], str_repeat('b', $n % 300));
        }
        for ($n = $i; $n < $i + 50; $n++) {
            $status = $connection->response()->status;
            $statuses[$status] = ($statuses[$status] ?? 0) + 1;
        }
    }
};
$memory = fn () => (int) preg_replace('~.*^RssAnon:\s*(\d+).*~ms', '$1', file_get_contents("/proc/$worker/status"));
$files = fn () => count(scandir("/proc/$worker/fd"));
$run(0, 2000);
[$before, $open] = [$memory(), $files()];
$run(2000, 10000);
ksort($statuses);
echo json_encode($statuses), "\n";
var_dump($server->children()['worker 0'] === $worker);
echo $memory() - $before < 512 ? 'flat' : "$before kB, then {$memory()} kB", "\n";
var_dump($files() - $open);
echo $server->stop(), "\n";
?>
--EXPECT--
{"200":9800,"500":200}
bool(true)
flat
int(0)
0
