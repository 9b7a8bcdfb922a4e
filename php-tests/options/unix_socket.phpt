--TEST--
unix_socket_mode, unix_socket_owner, unix_socket_group: who may connect to a Unix socket
--EXTENSIONS--
posix
--SKIPIF--
<?php
if (posix_geteuid() !== 0) die('skip needs root');
if (!posix_getpwnam('nobody') || !posix_getpwnam('www-data')) die('skip needs the users nobody and www-data');
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

function show_socket(string $options, string $more = ''): void
{
    $server = TestServer::script(<<<CODE
        umask(022);
        chmod(__DIR__, 0755);
        \$server = new Ferrite\\Http\\Server(place('a.sock'), 0, Ferrite\\PROCESS, Ferrite\\SOCK_UNIX_STREAM);
        \$server->set(['worker_num' => 1, 'user' => 'nobody', $options]);
        $more
        \$server->on('Start', ready(...));
        \$server->on('Request', fn (\$request, \$response) => \$response->end('hello'));
        \$server->start();
        CODE);
    $path = $server->place('a.sock');
    clearstatcache();
    printf("%o %s:%s ", fileperms($path) & 07777, posix_getpwuid(fileowner($path))['name'], posix_getgrgid(filegroup($path))['name']);
    // A proxy of another user.
    $client = '$s = @stream_socket_client($argv[1], $e, $m); if (!$s) exit("$m\n"); fwrite($s, "GET / HTTP/1.0\r\n\r\n"); echo preg_replace("/.*\r\n\r\n/s", "", stream_get_contents($s)), "\n";';
    $as = 'posix_setgid(' . posix_getpwnam('www-data')['gid'] . '); posix_setuid(' . posix_getpwnam('www-data')['uid'] . ');';
    passthru(PHP_BINARY . ' -n ' . (php_ini_loaded_file() ? '' : '-d extension=posix ') . '-r ' . escapeshellarg($as . $client) . ' ' . escapeshellarg("unix://$path") . ' 2>&1');
    echo $server->stop(), ' ', json_encode(file_exists($path)), "\n";
}

show_socket('');
show_socket("'unix_socket_mode' => 0666");
show_socket("'unix_socket_mode' => '0660', 'unix_socket_owner' => 'www-data', 'unix_socket_group' => 'nogroup'");
show_socket("'unix_socket_mode' => '660', 'unix_socket_group' => 'www-data'");
// On a port of its own; on TCP it has no meaning.
show_socket("'unix_socket_mode' => 0600", "\$server->ports[0]->set(['unix_socket_mode' => 0606]); \$server->listen('127.0.0.1', 0, Ferrite\\SOCK_TCP);");

foreach (["'unix_socket_mode' => 660", "'unix_socket_mode' => '888'", "'unix_socket_owner' => 'no-such-user'", "'unix_socket_group' => 'no-such-group'"] as $options) {
    $server = TestServer::launch(<<<CODE
        \$server = new Ferrite\\Http\\Server(place('a.sock'), 0, Ferrite\\PROCESS, Ferrite\\SOCK_UNIX_STREAM);
        try {
            \$server->set(['worker_num' => 1, $options]);
            \$server->on('Request', fn () => 0);
            \$server->start();
        } catch (Throwable \$error) {
            echo get_class(\$error), ': ', \$error->getMessage(), "\\n";
        }
        CODE);
    $server->wait();
    echo $server->output();
}
?>
--EXPECT--
755 root:root Permission denied
0 false
666 root:root hello
0 false
660 www-data:nogroup hello
0 false
660 root:www-data hello
0 false
606 root:root hello
0 false
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'unix_socket_mode' must be octal permissions from 0 to 0777, or as '0660', 660 given
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'unix_socket_mode' must be octal permissions from 0 to 0777, or as '0660', "888" given
Ferrite\Exception: There is no user 'no-such-user'
Ferrite\Exception: There is no group 'no-such-group'
