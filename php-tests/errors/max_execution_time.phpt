--TEST--
max_execution_time counts anew for each request; past it, 500
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $busy = function (float $seconds) {
        for ($until = microtime(true) + $seconds; microtime(true) < $until; );
    };
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/loop': while (true);
        case '/busy': $busy(0.6); return $response->end('done');
        case '/longer': set_time_limit(10); $busy(1.5); return $response->end('done');
        case '/limit': return $response->end(ini_get('max_execution_time'));
        case '/none': set_time_limit(0); $busy(1.5); return $response->end('done');
    }
    CODE, ini: ['max_execution_time' => 1, 'display_errors' => 0, 'log_errors' => 0]);
$pid = $server->get('/pid')->body;
foreach (['/busy', '/busy', '/busy', '/longer', '/limit', '/none', '/limit'] as $path) {
    echo $path, ' ', $server->get($path)->body, "\n";
}
echo $server->get('/pid')->body === $pid ? "the same worker\n" : "another worker\n";
echo $server->get('/loop')->status, "\n";
echo preg_replace('~/\S+/~', '', logged($server, 'GET /loop'));
echo $server->get('/pid')->body === $pid ? "the same worker\n" : "another worker\n";

// The server itself, and its other callbacks, may take as long as they do.
$server = TestServer::start(<<<'CODE'
    function busy(): void { for ($until = microtime(true) + 1.5; microtime(true) < $until; ); }
    $server->set(['worker_num' => 1]);
    $server->on('Start', function ($server) { busy(); ready($server); });
    $server->on('WorkerStart', busy(...));
    $server->on('Request', fn ($request, $response) => $response->end('served'));
    CODE, ['max_execution_time' => 1]);
echo $server->get('/')->body, ' ', $server->stop(), "\n", $server->out();
?>
--EXPECT--
/busy done
/busy done
/busy done
/longer done
/limit 1
/none done
/limit 1
the same worker
500
ERROR GET /loop: Maximum execution time of 1 second exceeded in server.php:11; the client gets 500; the worker is replaced
another worker
served 0
