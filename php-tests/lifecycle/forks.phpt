--TEST--
pcntl_fork() in a handler: the child is no worker, and ends as any script does
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $case = substr($request->server['request_uri'], 1);
    if ($case === 'pid') return $response->end((string) getmypid());
    $object = new class ($case) {
        public int $owner;
        function __construct(public string $case) { $this->owner = getmypid(); }
        function __destruct() { if (getmypid() !== $this->owner) echo "destructor\n"; }
    };
    $pid = pcntl_fork();
    if ($pid === 0) {
        echo "-- $case\n";
        register_shutdown_function(fn () => print("shutdown function\n"));
        switch ($case) {
            case 'returns': return;
            case 'exits': exit(7);
            case 'says': exit("last words\n");
            case 'throws': throw new RuntimeException('of the child');
            case 'handled':
                set_exception_handler(function ($e) { echo 'handler got ', $e->getMessage(), "\n"; exit(9); });
                throw new RuntimeException('of the child');
            case 'fatal': @trigger_error('of the child', E_USER_ERROR); // @: since 8.4 it is deprecated as well
            case 'memory': ini_set('memory_limit', '16M'); str_repeat('x', 64 << 20);
            case 'execs': pcntl_exec('/bin/sh', ['-c', 'exit 5']);
            case 'dies': posix_kill(getmypid(), SIGKILL);
            case 'buffers': ob_start(); echo "buffered\n"; return;
            case 'answers':
                $server = $GLOBALS['server'];
                foreach ([
                    fn () => $response->end('child'), fn () => $response->write('child'), fn () => $response->header('a', 'b'),
                    fn () => $response->status(500), fn () => $response->sendfile(__FILE__), fn () => $response->redirect('/'),
                    fn () => $response->cookie('a'), fn () => $response->trailer('a', 'b'), fn () => $response->informational(103),
                    fn () => $response->initHeader(),
                    fn () => $server->shutdown(), fn () => $server->reload(), fn () => $server->stop(), fn () => $server->stats(),
                    fn () => $server->start(),
                    function () { $other = new Ferrite\Http\Server('127.0.0.1', 0); $other->on('Request', fn () => 0); $other->start(); },
                ] as $try) {
                    try {
                        var_dump($try());
                    } catch (Ferrite\Exception $exception) {
                        echo $exception->getMessage(), "\n";
                    }
                }
                var_dump($response->isWritable(), $server->getWorkerId());
                exit(0);
        }
    }
    pcntl_waitpid($pid, $status);
    $response->end(pcntl_wifexited($status) ? 'exit ' . pcntl_wexitstatus($status) : 'signal ' . pcntl_wtermsig($status));
    CODE, ini: ['display_errors' => '1', 'html_errors' => '0']);
$pid = $server->get('/pid')->body;
foreach (['returns', 'exits', 'says', 'throws', 'handled', 'fatal', 'memory', 'execs', 'dies', 'buffers', 'answers'] as $case) {
    $response = $server->get("/$case");
    echo "$case: $response->status $response->body\n";
    // Two readers of one link would be noticed soon.
    for ($n = 0; $n < 20; $n++) {
        $server->get('/pid')->body === $pid || print("another worker\n");
    }
}
// Since 8.4 the name of a closure says where it was written.
$closure = PHP_VERSION_ID < 80400 ? '~\{closure\}~' : '~\{closure:/\S+/server.php:5\}~';
echo preg_replace(['~in /\S+/server.php(\(\d+\))?~', $closure], ['in server.php', '{the handler}'], $server->out());
echo 'log: ', $server->log(), "\n", $server->stop(), "\n";
?>
--EXPECTF--
returns: 200 exit 0
exits: 200 exit 7
says: 200 exit 0
throws: 200 exit 255
handled: 200 exit 9
fatal: 200 exit 255
memory: 200 exit 255
execs: 200 exit 5
dies: 200 signal 9
buffers: 200 exit 0
answers: 200 exit 0
-- returns
destructor
shutdown function
-- exits
destructor
shutdown function
-- says
last words
destructor
shutdown function
-- throws
destructor

Fatal error: Uncaught RuntimeException: of the child in server.php:21
Stack trace:
#0 [internal function]: {the handler}(Object(Ferrite\Http\Request), Object(Ferrite\Http\Response))
#1 %s/server.php(54): Ferrite\Http\Server->start()
#2 {main}
  thrown in server.php on line 21
shutdown function
-- handled
destructor
handler got of the child
shutdown function
-- fatal

Fatal error: of the child in server.php on line 25
shutdown function
-- memory

Fatal error: Allowed memory size of 16777216 bytes exhausted (tried to allocate %d bytes) in server.php on line 26
shutdown function
-- execs
-- dies
-- buffers
buffered
destructor
shutdown function
-- answers
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by the handler: only the worker itself can answer the client
This process was forked by a callback: it has no part in the server
This process was forked by a callback: it has no part in the server
This process was forked by a callback: it has no part in the server
This process was forked by a callback: it has no part in the server
A worker cannot start its own server again
No other server can be started in a process of a running one: start it by a script of its own
bool(false)
bool(false)
destructor
shutdown function
log: 
0
