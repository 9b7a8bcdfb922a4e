--TEST--
What cannot be bound is an exception that says what and where
--FILE--
<?php
use Ferrite\Http\Server;
use const Ferrite\{PROCESS, SOCK_TCP, SOCK_TCP6, SOCK_UDP, SOCK_UNIX_STREAM, SSL};

$folder = sys_get_temp_dir() . '/ferrite-bind-' . getmypid();
mkdir($folder);
touch("$folder/file");
$taken = new Server('127.0.0.1', 0);
$live = new Server("$folder/live.sock", 0, PROCESS, SOCK_UNIX_STREAM);

foreach ([
    ['127.0.0.1', $taken->port, SOCK_TCP],
    ['example.org', 0, SOCK_TCP],
    ['::1', 0, SOCK_TCP],
    ['127.0.0.1', 0, SOCK_TCP6],
    ['192.0.2.1', 0, SOCK_TCP],
    ['127.0.0.1', 65536, SOCK_TCP],
    ['127.0.0.1', -1, SOCK_TCP],
    ['127.0.0.1', 0, SOCK_UDP],
    ['127.0.0.1', 0, 77],
    ['127.0.0.1', 0, SOCK_UDP | SSL],
    ['127.0.0.1', 0, 77 | SSL],
    [$folder . '/' . str_repeat('x', 120), 0, SOCK_UNIX_STREAM],
    ['', 0, SOCK_UNIX_STREAM],
    ["$folder/file", 0, SOCK_UNIX_STREAM],
    ["$folder/live.sock", 0, SOCK_UNIX_STREAM],
    ["$folder/none/a.sock", 0, SOCK_UNIX_STREAM],
] as [$host, $port, $type]) {
    try {
        new Server($host, $port, PROCESS, $type);
        echo "$host was bound\n";
    } catch (Ferrite\Exception $error) {
        echo str_replace([$folder, (string) $taken->port], ['FOLDER', 'PORT'], $error->getMessage()), "\n";
    }
}

// A socket file that nobody answers on is in nobody's way.
unset($live);
$again = new Server("$folder/live.sock", 0, PROCESS, SOCK_UNIX_STREAM);
var_dump($again->port);
array_map('unlink', glob("$folder/*"));
rmdir($folder);
?>
--EXPECT--
Cannot listen on 127.0.0.1:PORT: the address is in use by another process
Host 'example.org' is not an IPv4 address
Host '::1' is not an IPv4 address
Host '127.0.0.1' is not an IPv6 address
Cannot listen on 192.0.2.1:0: no interface has this address
Port 65536 is not between 0 and 65535
Port -1 is not between 0 and 65535
Datagram sockets are not supported
Unknown socket type 77: use SOCK_TCP, SOCK_TCP6 or SOCK_UNIX_STREAM
Datagram sockets are not supported
Unknown socket type 589: use SOCK_TCP, SOCK_TCP6 or SOCK_UNIX_STREAM
Cannot listen on FOLDER/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: the path of a Unix socket has 1 to 107 bytes
Cannot listen on : the path of a Unix socket has 1 to 107 bytes
Cannot listen on FOLDER/file: a file that is no socket is in the way
Cannot listen on FOLDER/live.sock: another server answers there
Cannot listen on FOLDER/none/a.sock: No such file or directory (os error 2)
int(0)
