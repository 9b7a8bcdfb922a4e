--TEST--
pid_file is written at the start and removed at the end; daemonize goes into the background
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1, 'pid_file' => place('pid'), 'log_file' => place('file.log')]);
    $server->on('Start', ready(...));
    $server->on('Request', fn ($request, $response) => $response->end((string) $server->master_pid));
    CODE;
$server = TestServer::script($code . '$server->start();');
var_dump((int) file_get_contents($server->place('pid')) === $server->pid);
$server->stop();
var_dump(file_exists($server->place('pid')));

$server = TestServer::script($code . '$server->set(["daemonize" => true]); echo "before\n"; $server->start(); echo "after\n";');
// The process that was started has ended, another one goes on.
echo $server->wait(), "\n";
$pid = (int) file_get_contents($server->place('pid'));
var_dump($pid !== $server->pid, is_alive($pid), (int) $server->get('/')->body === $pid);
// A session of its own, without a terminal.
$stat = explode(' ', preg_replace('/^.*\) /', '', file_get_contents("/proc/$pid/stat")));
var_dump($stat[4]);
send_signal($pid, SIGTERM);
$server->waitForAll();
var_dump(file_exists($server->place('pid')), $server->out());
echo preg_match('/^after$/m', file_get_contents($server->place('file.log'))), "\n";
?>
--EXPECT--
bool(true)
bool(false)
0
bool(true)
bool(true)
bool(true)
string(1) "0"
bool(false)
string(7) "before
"
1
