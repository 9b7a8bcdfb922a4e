--TEST--
Callbacks of output buffers get what lies in them when exit() or an exception ends the handler
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'PHP'
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) {
        $seen = '';
        register_shutdown_function(function () use (&$seen, $response) { $response->end("seen: $seen"); });
        ob_start(function ($piece) use (&$seen) { $seen .= $piece; return ''; });
        ob_start(fn ($piece) => strtoupper($piece));
        echo 'in two buffers, ';
        switch ($request->server['request_uri']) {
            case '/exit':
                exit;
            case '/throw':
                throw new Exception('thrown on purpose');
            case '/callback':
                ob_start(function ($piece) { throw new Exception("the callback of $piece"); });
                echo 'a third';
                exit;
        }
    });
    PHP);
foreach (['/return', '/exit', '/throw', '/callback', '/return'] as $path) {
    $answer = $server->get($path);
    echo "$answer->status $answer->body\n";
}
echo $server->stop(), ' ', $server->out() === '' ? 'nothing printed' : $server->out(), "\n";
preg_match_all('~(Exception: |Uncaught )?(thrown on purpose|the callback of a third)~', $server->log(), $said);
echo implode(', ', array_unique($said[2])), "\n";
?>
--EXPECT--
200 seen: IN TWO BUFFERS, 
200 seen: IN TWO BUFFERS, 
200 seen: IN TWO BUFFERS, 
200 seen: IN TWO BUFFERS, A THIRD
200 seen: IN TWO BUFFERS, 
0 nothing printed
thrown on purpose, the callback of a third
