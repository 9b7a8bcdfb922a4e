--TEST--
Web: what PHP keeps of a request is freed once, in callbacks and in pulled scripts
--FILE--
<?php
require __DIR__ . '/web.inc';
require __DIR__ . '/../pull/pull.inc';

// Memory that was freed twice is given out twice: the second string would lie where the first one does. Nothing else that a
// request needs is as long.
$length = 2500;
$handler = <<<PHP
    \$first = str_repeat('a', $length); \$second = str_repeat('b', $length);
    echo \$first === str_repeat('a', $length) && \$second === str_repeat('b', $length) ? 'sound' : 'broken';
    PHP;
$long = str_repeat('x', $length);
$servers = [
    'callback' => web($handler),
    'pull' => pull("while (ferrite_handle_request(function () { $handler }));"),
];
foreach ($servers as $mode => $server) {
    foreach ([
        'content type' => ['POST', ['Content-Type' => "text/plain; x=$long"]],
        'user' => ['GET', ['Authorization' => 'Basic ' . base64_encode("$long:x")]],
        'password' => ['GET', ['Authorization' => 'Basic ' . base64_encode("x:$long")]],
        'digest' => ['GET', ['Authorization' => "Digest username=\"$long\""]],
    ] as $what => [$method, $fields]) {
        $content = $method === 'POST' ? 'content' : '';
        echo "$mode, $what: ", $server->request($method, '/', $fields, $content)->status, ' ', $server->get('/')->body, ' ', $server->get('/')->body, "\n";
    }
    echo $server->stop(), ' ', preg_match('/ERROR/', $server->log()), "\n";
}
?>
--EXPECT--
callback, content type: 200 sound sound
callback, user: 200 sound sound
callback, password: 200 sound sound
callback, digest: 200 sound sound
0 0
pull, content type: 200 sound sound
pull, user: 200 sound sound
pull, password: 200 sound sound
pull, digest: 200 sound sound
0 0
