--TEST--
script: mistakes are exceptions of start() that say what to do
--FILE--
<?php
$root = sys_get_temp_dir() . '/ferrite-classic-' . getmypid();
mkdir($root);
touch("$root/index.php");
$nothing = function () {};
foreach ([
    [['script' => 'index.php'], []],
    [['script' => 'app.php', 'document_root' => $root], []],
    [['script' => '../index.php', 'document_root' => $root], []],
    [['script' => 'index.php', 'document_root' => $root, 'php_deny' => ['uploads']], []],
    [['script' => 'index.php', 'document_root' => $root], ['Request']],
    [['script' => 'index.php', 'document_root' => $root], ['WorkerStop']],
    [['script' => 'index.php', 'document_root' => $root], ['Connect']],
] as [$set, $events]) {
    try {
        $server = new Ferrite\Http\Server('127.0.0.1', 0);
        $server->set($set);
        foreach ($events as $event) {
            $server->on($event, $nothing);
        }
        $server->start();
    } catch (Ferrite\Exception $error) {
        echo str_replace([$root, ":$server->port"], ['ROOT', ''], $error->getMessage()), "\n";
    }
}
unlink("$root/index.php");
rmdir($root);
?>
--EXPECT--
Option 'script' needs a directory that it lies in: set 'document_root' to one
Option 'script' must be a file below 'document_root'; ROOT/app.php is none
Option 'script' must be the path of a file below 'document_root', such as 'index.php', "../index.php" given
Option 'php_deny' must be paths that begin with '/', "uploads" given
script is set for 127.0.0.1, which has a callback for 'Request' as well: leave out one of them
There is a callback for 'WorkerStop' on 127.0.0.1, but workers run the files of script: nothing of this script is there when requests come. Leave out one of them
There is a callback for 'Connect' on 127.0.0.1, but workers run the files of script: nothing of this script is there when requests come. Leave out one of them
