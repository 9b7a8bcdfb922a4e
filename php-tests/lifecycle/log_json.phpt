--TEST--
log_format => 'json': every line is an object with a name, and what it tells in fields of its own
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'log_format' => 'json', 'max_wait_time' => 1]);
    $server->on('Request', function ($request, $response) {
        match ($request->server['request_uri']) {
            '/throw' => throw new LogicException("first\nsecond \"quoted\""),
            '/die' => posix_kill(getmypid(), SIGKILL),
            '/exit' => exit(1),
            default => $response->end('ok'),
        };
    });
    CODE);

/** The lines with this name; each line of the log has to be an object. @return list<array> */
function events(TestServer $server, string $name): array
{
    $events = [];
    foreach (explode("\n", rtrim($server->log())) as $line) {
        $event = json_decode($line, true, flags: JSON_THROW_ON_ERROR);
        foreach (['time', 'level', 'event', 'process', 'message'] as $field) {
            isset($event[$field]) || print "no $field in $line\n";
        }
        if ($event['event'] === $name) {
            $events[] = $event;
        }
    }
    return $events;
}

function event(TestServer $server, string $name): array
{
    wait_until(function () use ($server, $name) {
        return str_contains($server->log(), "\"event\":\"$name\"") && str_ends_with($server->log(), "\n");
    }, "the log has $name");
    return events($server, $name)[0];
}

function show_fields(array $event, string ...$fields): void
{
    echo $event['level'], ' ', $event['event'], ' ', $event['process']['role'];
    foreach ($fields as $field) {
        echo " $field=", json_encode($event[$field], JSON_UNESCAPED_SLASHES);
    }
    echo "\n";
}

show_fields(event($server, 'server_starting'));
show_fields($ready = event($server, 'server_ready'), 'workers');
echo $ready['process']['pid'] === $server->pid && str_contains($ready['addresses'], ":$server->port") ? 'here' : 'elsewhere', "\n";
$worker = $server->children()['worker 0'];

$server->get('/throw');
show_fields($failed = event($server, 'request_failed'), 'reason', 'method', 'path', 'status');
echo preg_match('/^127\.0\.0\.1:\d+$/', $failed['client']), ' ', $failed['process']['pid'] === $worker ? 'by the worker' : 'by whom', "\n";
echo str_contains($failed['message'], 'second "quoted"') ? 'whole' : $failed['message'], "\n";
$server->get('/exit');
wait_until(fn () => count(events($server, 'request_failed')) === 2, 'the second is told');
show_fields(events($server, 'request_failed')[1], 'reason', 'path');

$connection = $server->connect();
$connection->send("GET / HTTP/1.1\r\n\r\n");
$connection->response();
show_fields(event($server, 'request_refused'), 'status', 'reason');

$server->get('/die');
show_fields($died = event($server, 'worker_died'), 'worker', 'exit_code', 'signal', 'state', 'method', 'path');
echo $died['pid'] === $worker ? 'its pid' : 'another pid', "\n";
show_fields($replaced = event($server, 'worker_replaced'), 'worker');
echo $replaced['pid'] === $worker ? 'the same' : 'another pid', "\n";

wait_until(fn () => $server->get('/')->status === 200, 'it serves');
$server->signal(SIGUSR1);
show_fields(event($server, 'reload_started'));
show_fields(event($server, 'reload_finished'));
send_signal($server->children()['reactor'], SIGKILL);
show_fields(event($server, 'reactor_died'), 'exit_code', 'signal');
show_fields(event($server, 'reactor_replaced'));
wait_until(fn () => isset($server->children()['reactor']), 'the reactor is there');
echo $server->stop(), "\n";
show_fields(event($server, 'server_stopping'), 'at_once');
show_fields(event($server, 'server_stopped'));

$text = TestServer::start('$server->set(["log_format" => "text"]); $server->on("Request", fn () => null);');
$text->get('/');
echo preg_match('/^\S+Z WARN  worker \d+ \[\d+\] GET \/: the handler/', $text->waitForLog('/.*end\(\).*/')[0]), "\n";
?>
--EXPECT--
info server_starting supervisor
info server_ready supervisor workers=1
here
error request_failed worker reason="exception" method="GET" path="/throw" status=500
1 by the worker
whole
warn request_failed worker reason="exit" path="/exit"
info request_refused reactor status=400 reason="missing, repeated or invalid Host"
error worker_died supervisor worker=0 exit_code=null signal=9 state="busy" method="GET" path="/die"
its pid
info worker_replaced supervisor worker=0
another pid
info reload_started supervisor
info reload_finished supervisor
error reactor_died supervisor exit_code=null signal=9
info reactor_replaced supervisor
0
info server_stopping supervisor at_once=false
info server_stopped supervisor
1
