--TEST--
Pull: scripts that fail, end early or never ask are told so in the log; a fatal error costs the request and the worker; options exclude each other
--FILE--
<?php
require __DIR__ . '/pull.inc';

// What a script has to be that does not start.
foreach ([
    'has no loop' => 'echo "hello";',
    'exits' => 'exit(3);',
    'throws' => 'throw new LogicException("no configuration");',
    'has a syntax error' => 'if (',
    'leaves' => 'exit;',
] as $name => $script) {
    $server = pull($script, launch: true, ini: ['display_errors' => 0]);
    $code = $server->wait(30);
    preg_match_all('~ERROR\s+.*?(worker 0: .*)~', $server->log(), $lines);
    $lines = array_unique(preg_replace('~/\S*/~', '', $lines[1]));
    echo "$name: $code ", implode("\n", $lines), "\n";
}
$server = pull('for (;;) usleep(1000);', "'worker_start_timeout' => 0.2", launch: true);
echo $server->wait(60), ' ', preg_match('~was not ready after 0\.2 s and is killed: see what its WorkerStart callback \(or its worker_script\)~', $server->log()), "\n";

// Options.
foreach ([
    "\$server->set(['worker_script' => '/nonexistent/worker.php']);",
    "\$server->set(['worker_script' => __FILE__]); \$server->on('Request', fn () => 1);",
    "\$server->set(['worker_script' => __FILE__]); \$server->on('WorkerStop', fn () => 1);",
    "\$server->set(['worker_script' => __FILE__, 'script' => basename(__FILE__), 'document_root' => __DIR__]);",
    "\$server->set(['frankenphp_alias' => true]);",
] as $set) {
    $server = TestServer::launch("\$server = new Ferrite\\Http\\Server('127.0.0.1', 0); $set try { \$server->start(); } catch (Ferrite\\Exception \$error) { echo preg_replace(['~:\\d+~', '~/\\S*/~'], '', \$error->getMessage()), \"\\n\"; }");
    $server->wait();
    echo $server->output();
}

// Each of these costs its request, and the worker.
$server = pull(<<<'PHP'
    $count = 0;
    ini_set('memory_limit', '16M');
    $handler = function () use (&$count) {
        $count++;
        switch ($_GET['case'] ?? '') {
            case 'memory': $all = []; for (;;) { $all[] = str_repeat('x', 1 << 16); }
            case 'time': set_time_limit(1); for (;;);
            case 'user': trigger_error('given up', E_USER_ERROR);
            case 'printed': echo str_repeat('x', 1000); flush(); trigger_error('after output', E_USER_ERROR);
            case 'compile': eval('function strlen() {}');
            case 'shutdown': register_shutdown_function(function () { trigger_error('in shutdown', E_USER_ERROR); }); echo 'x'; break;
            case 'fork': if (function_exists('pcntl_fork') && pcntl_fork() === 0) { echo 'of the copy'; exit(7); } echo 'of the worker'; break;
            case 'work': ob_start(); session_id('abc'); register_shutdown_function(fn () => null); echo $count % 1000; if ($count % 3) { exit; } break;
            default: echo getmypid(), ' ', $count;
        }
    };
    while (ferrite_handle_request($handler));
    PHP, "'php_ini' => ['display_errors' => 0]");
foreach (['memory', 'time', 'user', 'printed', 'compile', 'shutdown'] as $case) {
    $before = $server->get('/')->body;
    $response = $server->get("/?case=$case");
    echo "$case: $response->status ", strlen($response->body), "\n";
    wait_until(fn () => explode(' ', $server->get('/')->body)[0] !== explode(' ', $before)[0], 'the worker is replaced');
}
$before = (int) $server->get('/')->body;
echo $server->get('/?case=fork')->body, ' ', (int) $server->get('/')->body === $before ? 'the same' : 'another', "\n";
echo preg_match_all('~ERROR\s.*not ready~', $server->log()), ' ', $server->stop(), "\n";
?>
--EXPECTF--
has no loop: 255 worker 0: worker_script worker.php has ended and has asked for no request: let it call ferrite_handle_request() in a loop (while (ferrite_handle_request($callback));)
exits: 255 worker 0: worker_script worker.php has failed before it asked for a request: ended with exit code 3
throws: 255 worker 0: worker_script worker.php has failed before it asked for a request: Uncaught LogicException: no configuration in worker.php:2 in worker.php:2
has a syntax error: 255 worker 0: worker_script worker.php has failed before it asked for a request: Unclosed '(' on line 2 in worker.php:3
leaves: 255 worker 0: worker_script worker.php has ended and has asked for no request: let it call ferrite_handle_request() in a loop (while (ferrite_handle_request($callback));)
255 1
Option 'worker_script' must be a PHP file; worker.php is none
There is a callback for 'Request' on 127.0.0.1, but workers run the worker_script: nothing of this script is there when requests come. Leave out one of them
There is a callback for 'WorkerStop' on 127.0.0.1, but workers run the worker_script: nothing of this script is there when requests come. Leave out one of them
worker_script and script are both set for 127.0.0.1: leave out one of them
frankenphp_alias is for a worker_script: set that to the script that asks for requests
memory: 500 0
time: 500 0
user: 500 0
printed: 200 1000
compile: 500 0
shutdown: 500 1
of the worker the same
0 0
