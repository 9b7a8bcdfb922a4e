--TEST--
Swoole's names are left to the extension swoole where it is loaded
--SKIPIF--
<?php
exec('command -v cc && command -v php-config', $found);
count($found) === 2 || print 'skip: needs a C compiler and the headers of PHP';
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

// An extension that has nothing of Swoole's but its name.
$place = sys_get_temp_dir() . '/ferrite-swoole-' . getmypid();
mkdir($place);
file_put_contents("$place/swoole.c", <<<'C'
    #include <php.h>
    zend_module_entry swoole_module_entry = {
        STANDARD_MODULE_HEADER, "swoole", NULL, NULL, NULL, NULL, NULL, NULL, "0", STANDARD_MODULE_PROPERTIES
    };
    ZEND_GET_MODULE(swoole)
    C);
passthru("cc -shared -fPIC $(php-config --includes) -o $place/swoole.so $place/swoole.c 2>&1");
// Before it and after it.
foreach ([['-d', "extension=$place/swoole.so"], []] as $before) {
    $after = $before === [] ? ['-d', "extension=$place/swoole.so"] : [];
    $command = [PHP_BINARY, ...$before, ...php_arguments(), ...$after, '-d', 'ferrite.swoole_aliases=1', '-r',
        'var_dump(class_exists("Swoole\Http\Server"), defined("SWOOLE_BASE"), class_exists("Ferrite\Http\Server"));'];
    $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
    $said = stream_get_contents($pipes[1]);
    proc_close($process);
    echo preg_match('/ferrite.swoole_aliases has no effect, as the extension swoole is loaded/', $said), "\n";
    echo implode("\n", array_slice(explode("\n", trim($said)), -3)), "\n";
}
array_map('unlink', glob("$place/*"));
rmdir($place);
?>
--EXPECT--
1
bool(false)
bool(false)
bool(true)
1
bool(false)
bool(false)
bool(true)
