--TEST--
More workers than the soft limit on open files has room for
--SKIPIF--
<?php
if (!function_exists('posix_setrlimit')) die('skip needs posix');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 60, 'reactor_num' => 2]);
    $server->on('Start', ready(...));
    $server->on('Request', fn ($request, $response) => $response->end('ok'));
    try {
        $server->start();
    } catch (Ferrite\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
    CODE;
// Each worker costs the supervisor a socket, and four ends of links while they are handed over.
$hard = posix_getrlimit()['hard openfiles'];
$hard = is_int($hard) ? $hard : POSIX_RLIMIT_INFINITY;
$server = TestServer::script("posix_setrlimit(POSIX_RLIMIT_NOFILE, 64, $hard); $code");
echo $server->get('/')->body, "\n";
$server->signal(SIGUSR1);
$server->waitForLog('/reload: all workers have been replaced/');
echo $server->get('/')->body, "\n";
echo preg_match('/ERROR/', $server->log()), ' ', $server->stop(), "\n";

$server = TestServer::launch("posix_setrlimit(POSIX_RLIMIT_NOFILE, 100, 100); $code");
$server->wait();
echo $server->out();
?>
--EXPECT--
ok
ok
0 0
worker_num 60 needs 248 open files per process, and the limit is 100 (ulimit -Hn)
