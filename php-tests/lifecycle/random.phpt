--TEST--
Workers do not share random numbers, whatever the script has drawn before
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $draw = fn (): array => array_filter([
        'lcg_value' => [lcg_value(), lcg_value()],
        'uniqid' => substr(strstr(uniqid('', true), '.'), 1),
        'mt_rand' => [mt_rand(), mt_rand()],
        'rand' => [rand(), rand()],
        'shuffle' => str_shuffle(implode(range('a', 'z'))),
        'random_int' => random_int(PHP_INT_MIN, PHP_INT_MAX),
        'random_bytes' => bin2hex(random_bytes(8)),
        'openssl' => function_exists('openssl_random_pseudo_bytes')
            ? bin2hex(openssl_random_pseudo_bytes(8)) : null,
    ]);
    // From here on every generator of this process has a state, which its children inherit.
    $draw();
    $server->set(['worker_num' => 4]);
    $server->on('WorkerStart', fn ($server, $id) => tell("worker$id", serialize($draw())));
    $server->on('Start', function ($server) use ($draw) {
        tell('supervisor', serialize($draw()));
        ready($server);
    });
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE);
$names = ['supervisor', 'worker0', 'worker1', 'worker2', 'worker3'];
$drawn = array_map(fn ($name) => unserialize($server->told($name)), $names);
foreach (array_keys($drawn[0]) as $kind) {
    $distinct = count(array_unique(array_map(serialize(...), array_column($drawn, $kind))));
    if ($distinct !== count($names)) {
        echo "$kind: $distinct different of ", count($names), "\n";
    }
}
var_dump($server->stop());
?>
--EXPECT--
int(0)
