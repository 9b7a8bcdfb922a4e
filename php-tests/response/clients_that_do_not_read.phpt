--TEST--
Clients that do not read large answers hold no worker, get every byte when they read, and leave nothing behind
--FILE--
<?php
require __DIR__ . '/../server.inc';

const PAGE = 6 << 20;
const SLOW = 20;

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'reactor_num' => 1]);
    $server->on('Request', function ($request, $response) use ($server) {
        $path = $request->server['request_uri'];
        if ($path === '/stats') {
            return $response->end(json_encode($server->stats() + ['pid' => $server->getWorkerPid()]));
        }
        if ($path === '/fast') {
            return $response->end('fast');
        }
        $content = str_repeat(substr($path, 1) . 'abcdefghijklm', intdiv(6 << 20, strlen($path) + 12) + 1);
        $response->end(substr($content, 0, 6 << 20));
    });
    CODE);

function page(string $path): string
{
    return substr(str_repeat(substr($path, 1) . 'abcdefghijklm', intdiv(PAGE, strlen($path) + 12) + 1), 0, PAGE);
}

/** What the reactor has open, and how many of those are files that have no name. */
function open_files(int $reactor): array
{
    $open = array_filter(array_map(fn ($fd) => @readlink("/proc/$reactor/fd/$fd"), scandir("/proc/$reactor/fd")));
    $unlinked = preg_grep('/\(deleted\)$/', $open);
    return [count($open) - count($unlinked), count($unlinked)];
}

$server->get('/fast');
$reactor = $server->children()['reactor'];
[$open] = open_files($reactor);
$stats = fn () => json_decode($server->get('/stats')->body, true);
$slow = [];
for ($i = 0; $i < SLOW; $i++) {
    $slow[$i] = $server->connect();
    $slow[$i]->request('GET', "/$i");
}
wait_until(fn () => $stats()['response_count'] >= SLOW, 'all are answered');
$kept = $stats();
var_dump($kept['response_spool_memory_bytes'] + $kept['response_spool_disk_bytes'] > SLOW << 16);

$times = [];
for ($i = 0; $i < 200; $i++) {
    $begin = hrtime(true);
    if ($server->get('/fast')->body !== 'fast') {
        echo "probe $i failed\n";
    }
    $times[] = hrtime(true) - $begin;
}
sort($times);
// The bound for a loaded machine.
var_dump($times[197] < 1e9);

// The workers that have made them die.
for ($i = 0; $i < 2; $i++) {
    send_signal($stats()['pid'], SIGKILL);
}
$wrong = 0;
foreach ($slow as $i => $connection) {
    $wrong += hash('sha256', $connection->response()->body) !== hash('sha256', page("/$i"));
    $connection->close();
}
var_dump($wrong);
wait_until(function () use ($stats) {
    $stats = $stats();
    return $stats['response_spool_memory_bytes'] + $stats['response_spool_disk_bytes'] === 0;
}, 'nothing is kept');
// The thread keeps its file.
wait_until(fn () => open_files($reactor) === [$open, 1], 'no descriptor is left');
?>
--EXPECT--
bool(true)
bool(true)
int(0)
