--TEST--
The constructor binds at once and shows what it has bound
--FILE--
<?php
use Ferrite\Http\Server;

$server = new Server('127.0.0.1', 0);
var_dump($server->host, $server->port > 0, $server->type, $server->mode, $server->ssl, $server->setting);
var_dump($server->master_pid, $server->worker_id, count($server->ports), $server->ports[0]->port === $server->port);
var_dump(is_resource(stream_socket_client("tcp://127.0.0.1:$server->port")));

// What PHP says of a nested write has changed.
$nested = PHP_VERSION_ID < 80400 ? 'Cannot modify readonly property' : 'Cannot indirectly modify readonly property';
foreach ([
    'write' => fn () => $server->port = 1,
    'nested write' => fn () => $server->setting['worker_num'] = 1,
    'clone' => fn () => clone $server,
    'serialize' => fn () => serialize($server),
    'again' => fn () => $server->__construct('127.0.0.1', 0),
    'unserialize' => fn () => unserialize('O:19:"Ferrite\Http\Server":0:{}'),
    'new port' => fn () => new Ferrite\Server\Port(),
    'wrong type' => fn () => new Server([]),
    'mode' => fn () => new Server('127.0.0.1', 0, 3),
    'bare' => fn () => (new ReflectionClass(Server::class))->newInstanceWithoutConstructor()->start(),
] as $what => $do) {
    try {
        $do();
        echo "$what: nothing thrown\n";
    } catch (Throwable $error) {
        $message = $what === 'nested write' ? str_replace($nested, '(refused)', $error->getMessage()) : $error->getMessage();
        echo $what, ': ', $error::class, ': ', $message, "\n";
    }
}

class MyServer extends Server
{
    public function __construct(public string $name)
    {
        parent::__construct('localhost', mode: Ferrite\BASE);
    }
}
$own = new MyServer('mine');
var_dump($own instanceof MyServer, $own->name, $own->mode, $own->host);
$own->set(['worker_num' => 3]);
var_dump($own->setting);
?>
--EXPECTF--
string(9) "127.0.0.1"
bool(true)
int(1)
int(2)
bool(false)
array(0) {
}
int(0)
int(-1)
int(1)
bool(true)
bool(true)
write: Error: Cannot modify readonly property Ferrite\Http\Server::$port
nested write: Error: (refused) Ferrite\Http\Server::$setting
clone: Error: Trying to clone an uncloneable object of class Ferrite\Http\Server
serialize: Exception: Serialization of 'Ferrite\Http\Server' is not allowed
again: Ferrite\Exception: The constructor was called before
unserialize: Exception: Unserialization of 'Ferrite\Http\Server' is not allowed
new port: Error: Ferrite\Server\Port cannot be created by new: the server passes it
wrong type: TypeError: Ferrite\Http\Server::__construct(): Argument #1 ($host) must be of type string, array given
mode: ValueError: Ferrite\Http\Server::__construct(): Argument #3 ($mode) must be Ferrite\PROCESS or Ferrite\BASE
bare: Ferrite\Exception: The constructor of the server was not called
bool(true)
string(4) "mine"
int(1)
string(9) "localhost"
array(1) {
  ["worker_num"]=>
  int(3)
}
