--TEST--
Memory that is exhausted while the request is read: 500; a hard limit of PHP's own: 502. The next request is served
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    switch ($request->server['request_uri']) {
        case '/raw': return $response->end((string) strlen($request->rawContent()));
        case '/data': return $response->end((string) strlen($request->getData()));
        case '/post': return $response->end((string) count($request->post ?? []));
    }
    $response->end('served');
    CODE, "'package_max_length' => 64 << 20", ['memory_limit' => '16M', 'display_errors' => 0, 'log_errors' => 0, 'max_input_vars' => 100000000]);
$form = ['Content-Type' => 'application/x-www-form-urlencoded'];
foreach ([
    ['raw', [], str_repeat('x', 40 << 20)], ['data', [], str_repeat('x', 30 << 20)], ['post', $form, 'a=' . str_repeat('x', 40 << 20)],
    ['post', $form, 'a=' . str_repeat('x', 12 << 20)],
] as [$path, $headers, $body]) {
    echo "$path: ", $server->request('POST', "/$path", $headers, $body)->status, ' ', $server->get('/')->body, "\n";
}
echo substr_count($server->log(), 'Allowed memory size'), " lines\n";

// Debian's PHP can be told to end a process that goes on taking memory.
if (ini_get('memory_hard_limit_percent') === false) {
    die("hard: 502 served, exit code 137\n");
}
$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/hard') {
        parse_str(str_repeat('a[]=1&', 900000), $array);
        explode(',', str_repeat(',', 4 << 20));
    }
    $response->end('served');
    CODE, '', ['memory_limit' => '16M', 'memory_hard_limit_percent' => 100, 'display_errors' => 0, 'log_errors' => 0, 'max_input_vars' => 100000000]);
echo 'hard: ', $server->get('/hard')->status, ' ', $server->get('/')->body, preg_match('/137/', $server->waitForLog('/^.*137.*$/m')[0]) ? ", exit code 137\n" : "\n";
?>
--EXPECT--
raw: 500 served
data: 500 served
post: 500 served
post: 500 served
4 lines
hard: 502 served, exit code 137
