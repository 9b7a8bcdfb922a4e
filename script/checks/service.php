<?php
// The server of script/checks/service: php service.php '{"host": …, "options": {…}}'

use Ferrite\Http\{Request, Response, Server};

$given = json_decode($argv[1], true) + ['host' => '127.0.0.1', 'port' => 0, 'listen' => [], 'options' => []];
$server = new Server($given['host'], $given['port']);
foreach ($given['listen'] as $host) {
    $server->listen($host, 0, Ferrite\SOCK_TCP);
}
$options = $given['options'] + ['worker_num' => 2, 'log_level' => Ferrite\LOG_ERROR];
// Null stands for the default.
$server->set(array_filter($options, fn ($value) => $value !== null));
$server->on('Start', function (Server $server) {
    echo json_encode(['port' => $server->port, 'workers' => $server->stats()['worker_num']]), "\n";
});
$server->on('Request', function (Request $request, Response $response) use ($server) {
    switch ($request->server['request_uri']) {
        case '/orphan':
            // A process whose parent has ended belongs to the first process of the namespace.
            shell_exec('(true &) ; (sleep 0.05 &)');
            $response->end("started\n");
            return;
        case '/zombies':
            $zombies = 0;
            foreach (glob('/proc/[0-9]*/stat') as $file) {
                $zombies += preg_match('/\) Z /', (string) @file_get_contents($file));
            }
            $response->end("$zombies\n");
            return;
        case '/slow':
            usleep(500_000);
            $response->end("slow\n");
            return;
        case '/requests':
            $response->end($server->stats()['request_count'] . "\n");
            return;
        default:
            $response->end("hello from " . getmypid() . "\n");
    }
});
$server->start();
