--TEST--
otlp_endpoint: a collector that takes everything and answers nothing holds up neither requests nor the stop
--FILE--
<?php
require __DIR__ . '/../server.inc';

// The kernel accepts, and nobody reads. An answer may take 10 seconds.
$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($listener, false);
$server = TestServer::script(<<<CODE
    putenv('OTEL_BSP_SCHEDULE_DELAY=1');
    putenv('OTEL_BSP_MAX_QUEUE_SIZE=10');
    putenv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE=5');
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, 'otlp_endpoint' => 'http://$address', 'log_level' => Ferrite\\LOG_INFO]);
    \$server->on('Start', ready(...));
    \$server->on('Request', fn (\$request, \$response) => \$response->end((string) \$server->stats()['span_lost_count']));
    \$server->start();
    CODE);
$server->get('/');
$connection = stream_socket_accept($listener, 30);
echo fgets($connection);
$begin = microtime(true);
for ($i = 0; $i < 200; $i++) {
    $server->get('/')->status === 200 || print("not 200\n");
}
echo microtime(true) - $begin < 8 ? "undisturbed\n" : "held up\n";
wait_until(fn () => (int) $server->get('/')->body > 150, 'what has no room is dropped and counted');
$begin = microtime(true);
echo $server->stop(), microtime(true) - $begin < 8 ? " in time\n" : " late\n";
?>
--EXPECT--
POST /v1/traces HTTP/1.1
undisturbed
0 in time
