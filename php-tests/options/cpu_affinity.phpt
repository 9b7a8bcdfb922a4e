--TEST--
open_cpu_affinity: reactor threads and workers stay on one CPU each, of those that the process has
--FILE--
<?php
require __DIR__ . '/../server.inc';

/** The CPUs that a thread may run on. @return list<int> */
function cpus(string $status): array
{
    preg_match('/^Cpus_allowed_list:\s+(\S+)$/m', file_get_contents($status), $found);
    $cpus = [];
    foreach (explode(',', $found[1]) as $range) {
        [$first, $last] = explode('-', "$range-$range");
        array_push($cpus, ...range((int) $first, (int) $last));
    }
    return $cpus;
}

$all = cpus('/proc/self/status');
$start = fn (string $options) => TestServer::start(<<<CODE
    \$server->set(['worker_num' => 3, 'reactor_num' => 2, $options]);
    \$server->on('Request', fn (\$request, \$response) => \$response->end('ok'));
    CODE);
$look = function (TestServer $server): array {
    wait_until(fn () => count($server->children()) === 4, 'all have their titles');
    $seen = [];
    foreach ($server->children() as $title => $pid) {
        if ($title !== 'reactor') {
            $seen[$title] = cpus("/proc/$pid/status");
            continue;
        }
        foreach (glob("/proc/$pid/task/*") as $task) {
            $name = trim(file_get_contents("$task/comm"));
            if (str_starts_with($name, 'reactor-')) $seen[$name] = cpus("$task/status");
        }
    }
    $seen['supervisor'] = cpus("/proc/$server->pid/status");
    ksort($seen);
    return $seen;
};
$expect = function (array $cpus) use ($all): array {
    $one = fn (int $n) => [$cpus[$n % count($cpus)]];
    return ['reactor-0' => $one(0), 'reactor-1' => $one(1), 'supervisor' => $all,
        'worker 0' => $one(0), 'worker 1' => $one(1), 'worker 2' => $one(2)];
};

// A process has its title, and a thread its name, shortly before its CPU.
$becomes = function (TestServer $server, array $expected) use ($look): bool {
    wait_until(fn () => $look($server) === $expected, 'each has its CPU');
    return true;
};

$server = $start("'open_cpu_affinity' => true");
var_dump($becomes($server, $expect($all)));
// A replaced worker has the CPU of its predecessor.
$old = $server->children()['worker 1'];
send_signal($old, SIGKILL);
wait_until(fn () => !in_array($server->children()['worker 1'] ?? $old, [$old], true), 'it is replaced');
var_dump($becomes($server, $expect($all)), $server->get('/')->body, $server->stop());

// The last one is not used; if there is but one, that is a mistake.
if (count($all) > 1) {
    $server = $start("'open_cpu_affinity' => 1, 'cpu_affinity_ignore' => [" . end($all) . ", 1000]");
    var_dump($becomes($server, $expect(array_slice($all, 0, -1))), $server->stop());
} else {
    var_dump(true, 0);
}
$server = $start('');
$seen = $look($server);
var_dump($seen === array_fill_keys(array_keys($seen), $all), $server->stop());

foreach (["'cpu_affinity_ignore' => [" . implode(', ', $all) . "]", "'cpu_affinity_ignore' => ['one']", "'cpu_affinity_ignore' => [-1]", "'cpu_affinity_ignore' => 1"] as $options) {
    $server = TestServer::launch(<<<CODE
        \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
        try {
            \$server->set(['open_cpu_affinity' => true, $options]);
            \$server->on('Request', fn () => 0);
            \$server->start();
        } catch (Throwable \$error) {
            echo get_class(\$error), ': ', \$error->getMessage(), "\\n";
        }
        CODE);
    $server->wait();
    echo $server->output();
}
?>
--EXPECTF--
bool(true)
bool(true)
string(2) "ok"
int(0)
bool(true)
int(0)
bool(true)
int(0)
Ferrite\Exception: cpu_affinity_ignore leaves none of the CPUs that this process may run on: [%s]
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'cpu_affinity_ignore' must be an array of CPU numbers, an array of 1 given
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'cpu_affinity_ignore' must be an array of CPU numbers, an array of 1 given
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'cpu_affinity_ignore' must be an array of CPU numbers, 1 given
