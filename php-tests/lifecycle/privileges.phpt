--TEST--
user and group: the children give up root, the supervisor keeps it
--SKIPIF--
<?php
if (!function_exists('posix_geteuid') || posix_geteuid() !== 0) die('skip needs root');
if (!posix_getpwnam('nobody')) die('skip needs the user nobody');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'user' => 'nobody']);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode([posix_geteuid(), posix_getegid()])));
    CODE);
$nobody = posix_getpwnam('nobody');
var_dump(json_decode($server->get('/')->body) === [$nobody['uid'], $nobody['gid']]);
$owner = fn (int $pid) => (int) preg_replace('/.*^Uid:\s+\d+\s+(\d+).*/ms', '$1', file_get_contents("/proc/$pid/status"));
$children = $server->children();
var_dump($owner($server->pid), $owner($children['reactor']) === $nobody['uid']);
// A change of user makes the kernel forget who must not survive whom.
$server->signal(SIGKILL);
$server->wait();
$server->waitForAll();
echo "none left\n";

// A worker that may not signal the supervisor can still ask it.
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'user' => 'nobody']);
    $server->on('Request', fn ($request, $response) => $response->end(json_encode(
        [$server->{ltrim($request->server['path_info'], '/')}(), getmypid()]
    )));
    CODE);
$ask = fn (string $method) => json_decode($server->get("/$method")->body);
[$done, $pid] = $ask('stop');
wait_until(fn () => !is_alive($pid), 'the worker is replaced');
echo json_encode($done), ' ', json_encode($ask('reload')[0]), "\n";
$server->waitForLog('/reload: all workers have been replaced/');
echo json_encode($ask('shutdown')[0]), ' ', $server->wait(), "\n";

$server = TestServer::launch('$server = new Ferrite\Http\Server("127.0.0.1", 0); $server->set(["user" => "no-such-user"]);'
    . '$server->on("Request", "strlen"); try { $server->start(); } catch (Ferrite\Exception $e) { echo $e->getMessage(); }');
$server->wait();
echo $server->out(), "\n";
?>
--EXPECT--
bool(true)
int(0)
bool(true)
none left
true true
true 0
There is no user 'no-such-user'
