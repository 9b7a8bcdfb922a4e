--TEST--
stats_file: written whole, as JSON, at every interval; a folder that is missing costs one line; removed at the end
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server->set(['worker_num' => 2, 'stats_file' => place('stats') . '/stats.json', 'stats_timer_interval' => 20]);
    $server->on('Request', function ($request, $response) use ($server) {
        for ($until = microtime(true) + 20; $request->server['request_uri'] === '/busy' && !file_exists(place('go')) && microtime(true) < $until;) {
            usleep(10_000);
        }
        $response->end(json_encode($server->stats()));
    });
    CODE;
$server = TestServer::start($code);
$folder = $server->place('stats');
$file = "$folder/stats.json";

// There is no such folder: it serves all the same, and has said so once.
$server->waitForLog('/ERROR supervisor .*cannot write stats_file \S+: No such file or directory.*tried again each 20 ms/');
usleep(200_000);
echo substr_count($server->log(), 'cannot write stats_file'), ' line, ', $server->get('/')->status, "\n";

mkdir($folder);
wait_until(fn () => is_file($file), 'the file is there');

/** Never half a file. */
function stats(string $file): array
{
    return json_decode(file_get_contents($file), true, flags: JSON_THROW_ON_ERROR);
}

$names = array_keys(json_decode($server->get('/')->body, true));
echo array_diff(preg_grep('/^worker_(request|response)_count$/', $names, PREG_GREP_INVERT), array_keys(stats($file)['stats'])) === []
    ? "all figures\n" : "figures are missing\n";

function processes(string $file): string
{
    return implode(', ', array_map(fn ($process) => "$process[role] " . (isset($process['worker']) ? "$process[worker] " : '') . $process['state'],
        stats($file)['processes']));
}

wait_until(fn () => processes($file) === 'supervisor ready, reactor ready, worker 0 idle, worker 1 idle', 'all is ready');
$busy = $server->connect();
$busy->request('GET', '/busy');
wait_until(fn () => str_contains(processes($file), 'busy'), 'one is busy');
touch($server->place('go'));
$busy->response();
wait_until(fn () => !str_contains(processes($file), 'busy'), 'none is busy');
$children = $server->children();
foreach (stats($file)['processes'] as $process) {
    $title = $process['role'] . (isset($process['worker']) ? " $process[worker]" : '');
    echo $title, ' ', $process['pid'] === ($children[$title] ?? $server->pid) ? 'its pid' : 'another pid', ' ',
        abs($process['since'] - time()) < 60 ? 'now' : $process['since'], "\n";
}
echo array_sum(array_column(stats($file)['processes'], 'requests')), " requests\n";

// Many reads, each of a whole file, and of a newer one in time.
$first = stats($file)['time'];
wait_until(fn () => stats($file)['time'] > $first, 'it is written again');
for ($i = 0; $i < 500; $i++) {
    stats($file);
}
send_signal($server->children()['worker 0'], SIGKILL);
wait_until(fn () => ($figures = stats($file)) && $figures['stats']['worker_restart_count'] === 1, 'a death is counted');

// A folder that cannot be written to: the file stays, and it goes on later.
rename($folder, "$folder.away");
wait_until(fn () => substr_count($server->log(), 'cannot write stats_file') === 2, 'it is told again');
rename("$folder.away", $folder);
$before = stats($file)['time'];
wait_until(fn () => stats($file)['time'] > $before, 'it goes on');
echo $server->stop(), "\n";
echo count(glob("$folder/*")), " files\n";
rmdir($folder);
?>
--EXPECT--
1 line, 200
all figures
supervisor its pid now
reactor its pid now
worker 0 its pid now
worker 1 its pid now
3 requests
0
0 files
