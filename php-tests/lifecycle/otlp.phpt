--TEST--
otlp_endpoint: spans and metrics go to a collector, which holds up nobody when it is not there
--FILE--
<?php
require __DIR__ . '/../server.inc';

$start = fn (string $options, string $before = '') => TestServer::script(<<<CODE
    putenv('OTEL_BSP_SCHEDULE_DELAY=20');
    $before
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, $options]);
    \$server->on('Start', ready(...));
    \$server->on('Request', fn (\$request, \$response) => \$response->end(match (\$request->server['request_uri']) {
        '/stats' => json_encode(\$server->stats()),
        default => \$request->header['traceparent'] ?? 'none',
    }));
    \$server->start();
    CODE);

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($listener, false);
/** The next request to the collector: its head and its content. */
$next = function () use ($listener): array {
    static $connection = null;
    $connection ??= stream_socket_accept($listener, 30);
    stream_set_timeout($connection, 30);
    $head = '';
    while (!str_ends_with($head, "\r\n\r\n")) {
        $line = fgets($connection);
        if ($line === false) {
            $connection = stream_socket_accept($listener, 30);
            stream_set_timeout($connection, 30);
            $head = '';
            continue;
        }
        $head .= $line;
    }
    preg_match('/^content-length: (\d+)/mi', $head, $length);
    $body = stream_get_contents($connection, (int) $length[1]);
    fwrite($connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    return [$head, $body];
};

// Only what the client has sampled is sent.
$server = $start("'otlp_endpoint' => 'env', 'otlp_service_name' => 'shop', 'otlp_headers' => ['X-Key' => 'secret'], 'trace_sample' => 0",
    "putenv('OTEL_EXPORTER_OTLP_ENDPOINT=http://$address');");
$connection = $server->connect();
$connection->request('GET', '/a', ['traceparent' => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']);
$traceparent = explode('-', $connection->response()->body);
[$head, $body] = $next();
echo strtok($head, "\r"), "\n";
echo preg_match('/^x-key: secret\r$/mi', $head), preg_match('#^content-type: application/x-protobuf\r$#mi', $head), "\n";
foreach (['service.name', 'shop', 'url.path', '/a', 'queue', 'handler'] as $text) {
    str_contains($body, chr(strlen($text)) . $text) || print "no $text\n";
}
// The trace is field 1 of a span, 16 bytes; the span is field 2, 8 bytes.
$span = "\x0a\x10" . hex2bin($traceparent[1]) . "\x12\x08" . hex2bin($traceparent[2]);
echo str_contains($body, $span) ? "the span of traceparent\n" : "another span\n";
$figures = function () use ($server) {
    return json_decode($server->get('/stats')->body, true);
};
wait_until(fn () => $figures()['span_export_count'] === 3, 'the spans are counted');
$server->signal(SIGTERM);
for ($found = false; !$found;) {
    [$head, $body] = $next();
    $found = str_starts_with($head, 'POST /v1/metrics ');
}
echo str_contains($body, 'http.server.request.duration') ? "metrics at the end\n" : "no metrics\n";
echo $server->stop(), "\n";

// Nobody listens there any more.
fclose($listener);
$server = $start("'otlp_endpoint' => 'http://$address'", "putenv('OTEL_BSP_MAX_QUEUE_SIZE=2');");
for ($i = 0; $i < 10; $i++) {
    $server->get('/');
}
$figures = fn () => json_decode($server->get('/stats')->body, true);
wait_until(fn () => $figures()['span_lost_count'] > 0 && $figures()['otlp_failure_count'] > 0, 'some are dropped');
echo count($server->waitForLog('/cannot send spans to the OpenTelemetry collector/')), "\n";
echo $server->stop(), "\n";

foreach (['localhost:4318', 'grpc://x'] as $endpoint) {
    try {
        (new Ferrite\Http\Server('127.0.0.1', 0))->set(['otlp_endpoint' => $endpoint]);
    } catch (ValueError $error) {
        echo $error->getMessage(), "\n";
    }
}
?>
--EXPECTF--
POST /v1/traces HTTP/1.1
11
the span of traceparent
metrics at the end
0
1
0
%sotlp_endpoint%s
%sotlp_endpoint%s
