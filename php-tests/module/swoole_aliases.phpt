--TEST--
A server that was written for Swoole's names runs unchanged, and is told what there is not
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'PHP'
    use Swoole\Http\{Cookie, Request, Response, Server};

    $http = new Server('127.0.0.1', 0, SWOOLE_PROCESS, SWOOLE_SOCK_TCP);
    $http->set([
        'worker_num' => swoole_cpu_num(), 'max_request' => 1000, 'log_level' => SWOOLE_LOG_WARNING,
        'dispatch_mode' => SWOOLE_DISPATCH_IDLE_WORKER, 'enable_coroutine' => false, 'daemonize' => false,
    ]);
    $extra = $http->listen('127.0.0.1', 0, SWOOLE_SOCK_TCP);
    $extra instanceof Swoole\Server\Port || exit(1);
    $extra->on('request', fn (Request $request, Response $response) => $response->end('the other port'));

    $http->on('start', function (Swoole\Server $server) { ready($server); });
    $http->on('workerStart', function (Server $server, int $workerId) {
        swoole_set_process_name("named worker $workerId") || error_log('no name');
    });
    $http->on('request', function (Request $request, Response $response) use ($http) {
        switch ($request->server['request_uri']) {
            case '/hello':
                $response->header('Content-Type', 'text/plain');
                $response->cookie((new Cookie())->withName('a')->withValue('1'));
                return $response->end("Hello {$request->get['name']}, {$request->server['request_method']}");
            case '/post':
                $response->status(201);
                $response->write('got ');
                $response->write($request->post['x'] . ' ');
                return $response->end($request->rawContent());
            case '/types':
                return $response->end(implode(' ', [
                    get_class($request), (int) ($request instanceof Request), (int) ($response instanceof Ferrite\Http\Response),
                    (int) ($http instanceof Swoole\Server), cli_get_process_title(),
                ]));
            case '/task':
                try {
                    $http->task('something');
                } catch (Error $error) {
                    return $response->end($error->getMessage());
                }
        }
        $response->status(404);
        $response->end('nothing here');
    });
    $http->start();
    PHP;
$server = TestServer::script($code, ['ferrite.swoole_aliases' => 1]);
$answer = $server->get('/hello?name=Ann');
echo $answer->status, ' ', $answer->header('content-type'), ' ', $answer->header('set-cookie'), ' ', $answer->body, "\n";
$answer = $server->request('POST', '/post', ['Content-Type' => 'application/x-www-form-urlencoded'], 'x=y');
echo $answer->status, ' ', $answer->body, "\n";
echo preg_replace('/\d+$/', 'N', $server->get('/types')->body), "\n";
echo $server->get('/task')->body, "\n";
echo $server->get('/nothing')->status, ' ', $server->get('/', port: $server->ports[1])->body, "\n";
echo $server->stop(), $server->log(), "\n";

/** Runs a script, and shows all that it says. */
function show(string $code, array $ini): void
{
    $server = TestServer::launch($code, $ini);
    $exit = $server->wait();
    echo trim(preg_replace('~ in /\S+:\d+.*~s', '', $server->output())), " ($exit)\n";
}
$aliases = ['ferrite.swoole_aliases' => 1];
// TLS by the flag of Swoole's.
$tls = <<<'PHP'
    $server = new Swoole\Http\Server('127.0.0.1', 0, SWOOLE_BASE, SWOOLE_SOCK_TCP | SWOOLE_SSL);
    echo get_class($server), ' ', (int) $server->ssl, ' ', $server->type === SWOOLE_SOCK_TCP ? 'TCP' : $server->type, "\n";
    echo swoole_version() === SWOOLE_VERSION && SWOOLE_VERSION_ID === 60000 ? 'version' : 'no version', "\n";
    class Mine extends Swoole\Http\Server {}
    echo (new Mine('127.0.0.1', 0)) instanceof Ferrite\Http\Server ? 'extended' : 'no', "\n";
    try {
        new Swoole\Http\Server('127.0.0.1', 0, SWOOLE_PROCESS, SWOOLE_SOCK_UDP);
    } catch (Swoole\Exception $error) {
        echo $error->getMessage(), "\n";
    }
    echo (int) ini_set('ferrite.swoole_aliases', '0'), "\n";
    foreach ([
        fn () => $server->set(['task_worker_num' => 4]),
        fn () => $server->set(['worker_nums' => 4]),
        fn () => $server->set(['dispatch_mode' => SWOOLE_DISPATCH_FDMOD]),
        fn () => $server->on('task', fn () => null),
        fn () => $server->on('receive', fn () => null),
        fn () => $server->TASKWAIT(1),
        fn () => $server->frobnicate(),
        fn () => swoole_version(1),
        fn () => swoole_set_process_name(),
    ] as $wrong) {
        try {
            $wrong();
            echo "no error\n";
        } catch (Error $error) {
            echo $error->getMessage(), "\n";
        }
    }
    // Who asks before they call is not told by an error.
    var_dump(method_exists($server, 'task'), is_callable([$server, 'task']));
    PHP;
show($tls, $aliases);
// Off, as it is unless somebody wants it.
$off = 'var_dump(class_exists("Swoole\Http\Server"), defined("SWOOLE_BASE"), function_exists("swoole_version"));';
show($off, []);
show($off, ['ferrite.swoole_aliases' => 0]);
?>
--EXPECT--
200 text/plain a=1 Hello Ann, GET
201 got y x=y
Ferrite\Http\Request 1 1 1 named worker N
Call to undefined method Ferrite\Http\Server::task(): answer with end() and work on: the client has its answer
404 the other port
0
Ferrite\Http\Server 1 TCP
version
extended
Datagram sockets are not supported
0
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'task_worker_num' is not supported: only false, 0, '' or [] is accepted, 4 given. There are no task workers yet.
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'worker_nums', did you mean 'worker_num'?
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'dispatch_mode' is not supported: only 1 or 3 or 7 is accepted, 2 given. Every request goes to an idle worker, whichever connection it came in by (as modes 1, 3 and 7).
Ferrite\Http\Server::on(): Argument #1 ($event_name) must be an event that can be handled: There is no event 'Task': answer with $response->end() in 'Request' and work on, as the client has its answer
Ferrite\Http\Server::on(): Argument #1 ($event_name) must be an event that can be handled: There is no event 'Receive': clients speak HTTP, so use 'Request'
Call to undefined method Ferrite\Http\Server::taskwait(): answer with end() and work on: the client has its answer
Call to undefined method Ferrite\Http\Server::frobnicate()
swoole_version() expects exactly 0 arguments, 1 given
swoole_set_process_name() expects exactly 1 argument, 0 given
bool(false)
bool(false) (0)
bool(false)
bool(false)
bool(false) (0)
bool(false)
bool(false)
bool(false) (0)
