--TEST--
on() takes the events that exist, in any case, and valid callbacks only
--FILE--
<?php
$server = new Ferrite\Http\Server('127.0.0.1', 0);
$port = $server->ports[0];
foreach ([
    [$server, 'Start', 'strlen'], [$server, 'WORKERSTART', 'strlen'], [$server, 'request', 'strlen'],
    [$server, 'requst', 'strlen'], [$server, 'Task', 'strlen'], [$server, 'frobnicate', 'strlen'],
    [$server, 'Request', 'no_such_function'], [$server, 'Request', [new stdClass(), 'none']],
    [$port, 'Request', 'strlen'], [$port, 'Start', 'strlen'], [$port, 'Opne', 'strlen'],
] as [$object, $name, $callback]) {
    try {
        var_dump($object->on($name, $callback));
    } catch (Throwable $error) {
        echo $error::class, ': ', $error->getMessage(), "\n";
    }
}
$closure = fn () => 1;
$server->on('Close', $closure);
var_dump($server->getCallback('close') === $closure, $server->getCallback('Connect'), $server->getCallback('START'));
$method = [new ArrayObject(), 'count'];
$port->on('Connect', $method);
var_dump($port->getCallback('connect') === $method, $server->getCallback('connect'));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
ValueError: Ferrite\Http\Server::on(): Argument #1 ($event_name) must be an event that can be handled: Unknown event 'requst', did you mean 'Request'?
ValueError: Ferrite\Http\Server::on(): Argument #1 ($event_name) must be an event that can be handled: There is no event 'Task': answer with $response->end() in 'Request' and work on, as the client has its answer
ValueError: Ferrite\Http\Server::on(): Argument #1 ($event_name) must be an event that can be handled: Unknown event 'frobnicate'
TypeError: Ferrite\Http\Server::on(): Argument #2 ($callback) must be a valid callback, function "no_such_function" not found or invalid function name
TypeError: Ferrite\Http\Server::on(): Argument #2 ($callback) must be a valid callback, class stdClass does not have a method "none"
bool(true)
ValueError: Ferrite\Server\Port::on(): Argument #1 ($event_name) must be an event that can be handled: Event 'Start' belongs to the server; set it with Server::on()
ValueError: Ferrite\Server\Port::on(): Argument #1 ($event_name) must be an event that can be handled: Unknown event 'Opne', did you mean 'Open'?
bool(true)
NULL
string(6) "strlen"
bool(true)
NULL
