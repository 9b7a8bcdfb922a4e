--TEST--
exit() in a handler: the client gets its answer, the worker lives on
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/pid': return $response->end((string) getmypid());
        case '/exit': exit;
        case '/die': die('last words');
        case '/ended': $response->end('answer'); exit(3);
        case '/deep': (function () { array_map(function () { exit; }, [1]); })(); break;
        case '/finally':
            try {
                exit;
            } finally {
                echo 'never printed';
            }
    }
    CODE);
$pid = $server->get('/pid')->body;
foreach (['exit', 'die', 'ended', 'deep', 'finally'] as $case) {
    $response = $server->get("/$case");
    echo "$case: $response->status ", trim($response->body), "\n";
    echo $case === 'ended' ? '' : logged($server, "GET /$case");
}
echo $server->out(), "\n";
echo substr_count($server->log(), "\n"), " lines, ", $server->get('/pid')->body === $pid ? "the same worker\n" : "another worker\n";
?>
--EXPECT--
exit: 500 500 Internal Server Error
WARN GET /exit: exit() before the response was ended; the client gets 500
die: 500 500 Internal Server Error
WARN GET /die: exit() before the response was ended; the client gets 500
ended: 200 answer
deep: 500 500 Internal Server Error
WARN GET /deep: exit() before the response was ended; the client gets 500
finally: 500 500 Internal Server Error
WARN GET /finally: exit() before the response was ended; the client gets 500
last words
4 lines, the same worker
