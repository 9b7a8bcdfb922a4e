--TEST--
Pull: a script may ask for requests in a fiber; one that its callback suspends goes on where the script resumes it, or ends with the script
--FILE--
<?php
require __DIR__ . '/pull.inc';

$handler = <<<'PHP'
    $handler = function () {
        switch ($_GET['case'] ?? '') {
            case 'exit': exit('left');
            case 'throw': throw new LogicException('thrown');
            case 'suspend': ob_start(); echo 'first, '; Fiber::suspend(); echo 'then, '; break;
        }
        echo 'answered';
    };
    $fiber = new Fiber(function () use ($handler) { while (ferrite_handle_request($handler)); });
    $fiber->start();
    PHP;
foreach ([
    'resumed' => 'while (!$fiber->isTerminated()) { $fiber->resume(); }',
    // The script ends with a request in work: what it has printed is its answer, and another worker takes over.
    'left behind' => '',
    'in the way' => <<<'PHP'
        while (!$fiber->isTerminated()) {
            try { ferrite_handle_request($handler); } catch (Ferrite\Exception $error) { file_put_contents(__DIR__ . '/said', $error->getMessage()); }
            $fiber->resume();
        }
        PHP,
] as $name => $end) {
    $server = pull("$handler\n$end", "'php_ini' => ['display_errors' => 0]");
    echo "$name: ";
    foreach (['', 'exit', 'throw', 'suspend', '', 'suspend', ''] as $case) {
        $response = $server->get("/?case=$case");
        // A fiber that is destroyed cannot be suspended once more: that is an error of the callback's.
        $expected = ['exit' => [200, 'left'], 'throw' => [500, ''], 'suspend' => [200, $name === 'left behind' ? 'first, ' : 'first, then, answered']][$case] ?? [200, 'answered'];
        $got = [$response->status, $response->body];
        echo $got === $expected || $name === 'left behind' && $got === [500, 'first, '] ? '.' : json_encode([$case, ...$got]);
    }
    echo ' ', @file_get_contents($server->place('said')), ' ', $server->stop(), ' ', preg_match('/killed/', $server->log()), "\n";
}
?>
--EXPECT--
resumed: .......  0 0
left behind: .......  0 0
in the way: ....... ferrite_handle_request() waits for one request after another: let the callback return before it is called again 0 0
