--TEST--
trace_context: handlers see traceparent with the server's span in it, and the access log has the ids
--FILE--
<?php
require __DIR__ . '/../server.inc';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00-' . TRACE . '-00f067aa0ba902b7-';
const MADE = '/^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/D';

$start = fn (string $options) => TestServer::script(<<<CODE
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, $options]);
    \$server->on('Start', ready(...));
    \$server->on('Request', function (\$request, \$response) {
        \$request->server['request_uri'] === '/throws' && throw new LogicException('thrown');
        \$response->end((\$request->header['traceparent'] ?? 'none') . ' ' . (\$request->header['tracestate'] ?? 'none'));
    });
    \$server->start();
    CODE);
$get = function (TestServer $server, string $target, array $headers = []): string {
    $connection = $server->connect();
    $connection->request('GET', $target, $headers);
    return $connection->response()->body;
};

// Off: headers are the client's.
$server = $start('');
echo $get($server, '/', ['traceparent' => 'x', 'tracestate' => 'a=1']), "\n", $get($server, '/'), "\n";
$server->stop();

$server = $start("'trace_context' => 'all', 'trace_sample' => 0, 'log_format' => 'json', 'access_log' => place('access.log'),
    'access_log_format' => '{path} {trace_id} {span_id}'");
[$parent, $state] = explode(' ', $get($server, '/goes-on', ['traceparent' => PARENT . '01', 'tracestate' => 'a=1']));
preg_match(MADE, $parent, $made);
echo $made[1] === TRACE ? 'its trace' : $made[1], ' ', $made[2] === '00f067aa0ba902b7' ? 'its span' : 'a new span', " $made[3] $state\n";
[$parent, $state] = explode(' ', $get($server, '/begins', ['traceparent' => strtoupper(PARENT) . '01', 'tracestate' => 'a=1']));
preg_match(MADE, $parent, $new);
echo $new[1] === TRACE ? 'its trace' : 'a new trace', " $new[3] $state\n";
$log = $server->place('access.log');
foreach (["/goes-on $made[1] $made[2]", "/begins $new[1] $new[2]"] as $line) {
    wait_until(fn () => file_exists($log) && str_contains(file_get_contents($log), "$line\n"), $line);
}
// Lines of the worker and of the reactor about a request; with its id, or without any.
$get($server, '/throws', ['traceparent' => PARENT . '01']);
$connection = $server->connect();
$connection->send("POST /refused HTTP/1.1\r\nHost: x\r\ntraceparent: " . PARENT . "01\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
echo $connection->response()->status;
foreach (['request_failed', 'request_refused'] as $event) {
    $line = json_decode($server->waitForLog("/^.*\"event\":\"$event\".*$/m")[0], true);
    echo ' ', $line['trace_id'] === TRACE ? 'found' : 'lost', isset($line['request_id']) ? ' with an id' : '';
}
echo "\n", $server->stop(), "\n";

// As text, behind the id of the request.
$server = $start("'trace_context' => 'all', 'request_id' => true");
$get($server, '/throws', ['traceparent' => PARENT . '01']);
echo preg_match('/LogicException.* \[request_id=[0-9a-f-]{36}\] \[trace_id=' . TRACE . '\]$/m', $server->waitForLog('/LogicException.*/')[0]), "\n";
$server->stop();

// Nobody is a trusted proxy here.
$server = $start("'trace_context' => 'proxies'");
echo preg_match(MADE, explode(' ', $get($server, '/', ['traceparent' => PARENT . '00']))[0], $new), ' ', $new[1] === TRACE ? 'taken' : 'not taken', " $new[3]\n";
$server->stop();

foreach ([['trace_context' => 'some'], ['trace_sample' => 2]] as $options) {
    try {
        (new Ferrite\Http\Server('127.0.0.1', 0))->set($options);
    } catch (ValueError $error) {
        echo $error->getMessage(), "\n";
    }
}
?>
--EXPECTF--
x a=1
none none
its trace a new span 1 a=1
a new trace 0 none
400 found found
0
1
1 not taken 1
%strace_context%s
%strace_sample%s
