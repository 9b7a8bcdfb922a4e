--TEST--
admin_listen and admin_token: what is wrong with them is an exception of start() that says what to do
--FILE--
<?php
require __DIR__ . '/../server.inc';

use Ferrite\Http\Server;

function start(array $options): void
{
    $server = new Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1, ...$options]);
    $server->on('Request', fn ($request, $response) => $response->end());
    try {
        $server->start();
        echo "started\n";
    } catch (Ferrite\Exception $exception) {
        echo str_replace(sys_get_temp_dir(), '…', $exception->getMessage()), "\n";
    }
}

start(['admin_listen' => '9502']);
start(['admin_listen' => '0.0.0.0:0']);
start(['admin_listen' => '[::]:9502']);
start(['admin_listen' => '192.0.2.1:9502', 'admin_token' => 'short']);
start(['admin_listen' => '/nonexistent/admin.sock']);
$path = sys_get_temp_dir() . '/ferrite-admin-' . getmypid();
touch($path);
start(['admin_listen' => $path]);
unlink($path);
$live = stream_socket_server("unix://$path");
start(['admin_listen' => $path]);
unlink($path);
?>
--EXPECTF--
admin_listen '9502' is neither the path of a Unix socket nor an address with a port, as /run/app/admin.sock or 127.0.0.1:9502
admin_listen 0.0.0.0:0 can be reached by others: set admin_token, or use a Unix socket or an address of loopback
admin_listen [::]:9502 can be reached by others: set admin_token, or use a Unix socket or an address of loopback
admin_token has to be 16 printable ASCII characters at least, without spaces
admin_listen: Cannot listen on /nonexistent/admin.sock: No such file or directory (os error 2)
admin_listen: Cannot listen on …/ferrite-admin-%d: a file that is no socket is in the way
admin_listen: Cannot listen on …/ferrite-admin-%d: another server answers there
