--TEST--
The banner says where and who, once, and only if it is wanted
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server->set(['worker_num' => 2, 'reactor_num' => 1]);
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE;
$server = TestServer::start($code, ['ferrite.banner' => 1]);
$children = $server->children();
$server->stop();
$server->waitForAll();
echo str_replace([$server->pid, $server->port, ...array_values($children)], ['SUPERVISOR', 'PORT', 'REACTOR', 'W0', 'W1'], $server->out());

$server = TestServer::start($code, ['ferrite.banner' => 1, 'ferrite.colors' => 'always']);
var_dump(str_contains($server->out(), "\x1b[1m"));
$server->stop();
$server = TestServer::start($code, ['ferrite.banner' => 1, 'memory_limit' => -1]);
echo preg_match('/^  warning: memory_limit is -1: .*$/m', $server->out(), $match) ? "$match[0]\n" : '';
$server->stop();
$server = TestServer::start($code . '$server->set(["banner" => false]);', ['ferrite.banner' => 1]);
$server->stop();
var_dump($server->out());
?>
--EXPECTF--
Ferrite %d.%d.%d on PHP %s
  http://127.0.0.1:PORT/
  supervisor SUPERVISOR
  ├── reactor REACTOR (1 thread)
  ├── worker 0: W0
  └── worker 1: W1
  warning: opcache.enable_cli is off: PHP code runs slower; load opcache, and set it (php -d opcache.enable_cli=1)
  SIGTERM stops it; kill -USR1 SUPERVISOR replaces the workers
bool(true)
  warning: memory_limit is -1: one handler can take all memory; set it (php -d memory_limit=256M)
string(0) ""
