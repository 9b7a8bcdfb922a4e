--TEST--
Socket and pid file are removed also when the server ends by an error
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server = new Ferrite\Http\Server(place('a.sock'), 0, Ferrite\PROCESS, Ferrite\SOCK_UNIX_STREAM);
    $server->set(['worker_num' => 1, 'pid_file' => place('pid')]);
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE;
$server = TestServer::launch($code . '$server->on("WorkerStart", function () { throw new Exception("no"); }); $server->start();');
echo $server->wait(), "\n";
var_dump(file_exists($server->place('a.sock')), file_exists($server->place('pid')));

// A fatal error in a callback of the supervisor is the end of its PHP code, not of the server.
$server = TestServer::script($code . <<<'CODE'
    $server->on('Start', ready(...));
    $server->on('WorkerError', function () { trigger_error('broken', E_USER_ERROR); });
    $server->on('Shutdown', fn () => print("not called\n"));
    $server->start();
    echo "not reached\n";
    CODE);
$ask = function () use ($server): int {
    $connection = new TestConnection(stream_socket_client('unix://' . $server->place('a.sock')));
    $connection->request('GET', '/');
    return $connection->response()->status;
};
echo $ask(), "\n";
wait_until(fn () => isset($server->children()['worker 0']), 'the worker has its title');
send_signal($server->children()['worker 0'], SIGKILL);
$server->waitForLog('/ERROR supervisor .*WorkerError: .*broken/');
echo $ask(), "\n";
echo $server->stop(), "\n";
$server->waitForAll();
var_dump(file_exists($server->place('a.sock')), file_exists($server->place('pid')));
echo preg_match('/not (called|reached)/', $server->out()), "\n";

$server = TestServer::launch($code . <<<'CODE'
    $server->set(['upload_tmp_dir' => '/no/such/folder']);
    try {
        $server->start();
    } catch (Ferrite\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
    CODE);
$server->wait();
echo $server->out();
var_dump(file_exists($server->place('a.sock')));

// Nor does one stay that nobody ever listened on.
$server = TestServer::launch($code . 'echo filetype(place("a.sock")), "\n"; throw new Exception("no");');
$server->wait();
echo strtok($server->out(), "\n"), "\n";
var_dump(file_exists($server->place('a.sock')));
?>
--EXPECT--
255
bool(false)
bool(false)
200
200
255
bool(false)
bool(false)
0
Cannot write to upload_tmp_dir /no/such/folder: No such file or directory (os error 2)
bool(false)
socket
bool(false)
