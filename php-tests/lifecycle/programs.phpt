--TEST--
Programs that handlers start find every signal at its default and none blocked
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/../show.inc';

// Such as a shell leaves it to programs in the background.
pcntl_signal(SIGINT, SIG_IGN);
pcntl_signal(SIGUSR2, SIG_IGN);
$server = TestServer::start(<<<'CODE'
    $show = 'grep -E "^Sig(Blk|Ign)" /proc/self/status';
    $server->set(['worker_num' => 1, 'reactor_num' => 1]);
    $server->on('Start', function ($server) use ($show) {
        file_put_contents(place('start'), implode("\n", preg_grep('/Blk/', explode("\n", shell_exec($show)))));
        ready($server);
    });
    $server->on('Request', function ($request, $response) use ($show) {
        ob_start();
        switch ($case = substr($request->server['request_uri'], 1)) {
            case 'exec': exec($show, $lines); $seen = implode("\n", $lines); break;
            case 'shell_exec': $seen = shell_exec($show); break;
            case 'backtick': $seen = `$show`; break;
            case 'system': system($show); $seen = ob_get_contents(); break;
            case 'passthru': passthru($show); $seen = ob_get_contents(); break;
            case 'popen': $seen = stream_get_contents(popen($show, 'r')); break;
            case 'callable': $seen = array_map(Closure::fromCallable('shell_exec'), [$show])[0]; break;
            case 'proc_open': $process = proc_open($show, [1 => ['pipe', 'w']], $pipes); $seen = stream_get_contents($pipes[1]); break;
            case 'proc_open_list':
                $process = proc_open(['grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status'], [1 => ['pipe', 'w']], $pipes);
                $seen = stream_get_contents($pipes[1]);
                break;
            case 'pcntl_exec':
                $pid = pcntl_fork();
                if ($pid === 0) {
                    pcntl_exec('/bin/sh', ['-c', "$show >" . place('exec')]);
                    exit(1);
                }
                pcntl_waitpid($pid, $status);
                $seen = file_get_contents(place('exec'));
                break;
            case 'own_handlers':
                pcntl_signal(SIGTERM, fn () => 0);
                pcntl_signal(SIGALRM, fn () => 0);
                $seen = shell_exec($show);
                pcntl_signal(SIGTERM, SIG_DFL);
        }
        ob_end_clean();
        $response->end($seen);
    });
    CODE);
pcntl_signal(SIGINT, SIG_DFL);
pcntl_signal(SIGUSR2, SIG_DFL);

// 32 and 33 belong to libc: nobody can set them.
$masks = function (string $seen): string {
    preg_match_all('/^(Sig\w+):\s+([0-9a-f]+)$/m', $seen, $found, PREG_SET_ORDER);
    return implode(' ', array_map(fn ($line) => "$line[1]=" . dechex(hexdec($line[2]) & ~(3 << 31)), $found)) ?: $seen;
};
foreach (['exec', 'shell_exec', 'backtick', 'system', 'passthru', 'popen', 'callable', 'proc_open', 'proc_open_list', 'pcntl_exec', 'own_handlers'] as $case) {
    echo "$case: ", $masks($server->get("/$case")->body), "\n";
}
echo 'in the supervisor: ', $masks(file_get_contents($server->place('start'))), "\n";
// Which is no end of its own signals.
echo $server->stop(), "\n";
?>
--EXPECT--
exec: SigBlk=0 SigIgn=0
shell_exec: SigBlk=0 SigIgn=0
backtick: SigBlk=0 SigIgn=0
system: SigBlk=0 SigIgn=0
passthru: SigBlk=0 SigIgn=0
popen: SigBlk=0 SigIgn=0
callable: SigBlk=0 SigIgn=0
proc_open: SigBlk=0 SigIgn=0
proc_open_list: SigBlk=0 SigIgn=0
pcntl_exec: SigBlk=0 SigIgn=0
own_handlers: SigBlk=0 SigIgn=0
in the supervisor: SigBlk=0
0
