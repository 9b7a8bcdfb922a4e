--TEST--
What one request leaves behind in PHP is not there in the next
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $seen = [error_get_last(), ob_get_level(), count(headers_list()), ini_get('max_execution_time')];
    @trigger_error('quiet', E_USER_NOTICE);
    @$undefined['a'];
    ob_start();
    header('X-A: b');
    set_time_limit(100);
    if ($request->server['request_uri'] === '/throw') {
        throw new RuntimeException('x');
    }
    $response->end(json_encode($seen));
    CODE);
foreach (['/', '/', '/throw', '/'] as $path) {
    echo trim($server->get($path)->body), "\n";
}
// Nothing grows: neither objects, nor buffers, nor the memory that PHP has.
$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/memory') {
        gc_collect_cycles();
        return $response->end((string) memory_get_usage());
    }
    $request->get['self'] = $request;
    ob_start();
    $response->header('X-A', str_repeat('a', 1000));
    $response->end(json_encode([$request->header, $request->server, $request->cookie, $request->post]));
    throw new RuntimeException(str_repeat('x', 1000));
    CODE);
$connection = $server->connect();
for ($round = 0; $round < 3; $round++) {
    for ($i = 0; $i < 300; $i++) {
        $connection->request('POST', '/?a=b', ['Cookie' => 'a=b', 'Content-Type' => 'application/x-www-form-urlencoded'], 'c=d');
        $connection->response();
    }
    $connection->request('GET', '/memory');
    $memory[] = (int) $connection->response()->body;
}
var_dump(abs($memory[2] - $memory[1]) < 10000 ?: $memory);
?>
--EXPECT--
[null,0,0,"0"]
[null,0,0,"0"]
500 Internal Server Error
[null,0,0,"0"]
bool(true)
