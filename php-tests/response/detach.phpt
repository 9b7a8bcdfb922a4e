--TEST--
detach() and create(): another worker answers what was detached, with what was set before
--FILE--
<?php
require __DIR__ . '/../server.inc';

// Worker 0 detaches, worker 1 answers: the path says what.
$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'max_detached' => 3, 'detach_timeout' => 20]);
    $server->on('Start', fn ($server) => ready($server));
    $server->on('Request', function ($request, $response) use ($server) {
        $get = $request->get ?? [];
        $path = $request->server['path_info'];
        $tokens = place('tokens');
        switch ($path) {
            case '/pid': return $response->end(posix_getpid());
            case '/park':
                $response->header('X-Before', 'set');
                $response->header('X-Before', 'twice', append: true);
                $response->cookie('a', 'b');
                $response->status(202, 'Later');
                isset($get['write']) && $response->trailer('X-Trailer', 'kept');
                isset($get['write']) && $response->write('begun ');
                $token = $response->token();
                $same = $response->token() === $token;
                $detached = [$response->detach(), $response->detach(), $response->isWritable(), $response->end('x'), $response->header('a', 'b'), $response->token() === $token, $same];
                file_put_contents($tokens, "$token\n", FILE_APPEND);
                tell('detached', json_encode($detached) . strlen($token));
                return;
            case '/full':
                try {
                    $response->detach();
                } catch (Ferrite\Exception $exception) {
                    $response->status(503);
                    $response->end($exception->getMessage());
                }
                return;
            case '/answer':
                $parked = file($tokens, FILE_IGNORE_NEW_LINES);
                unlink($tokens);
                $seen = '';
                foreach ($parked as $token) {
                    $later = Ferrite\Http\Response::create($server, $token);
                    $again = Ferrite\Http\Response::create($token);
                    $seen .= json_encode([$later->isWritable(), $again->isWritable(), $again->end('no'), $later->getStatusCode(), $later->header, $later->cookie, $later->trailer, $later->fd > 0]);
                    match ($get['how'] ?? 'end') {
                        'end' => $later->end('from ' . posix_getpid()),
                        'file' => $later->sendfile(place('file')),
                        'not' => null,
                        'again' => file_put_contents($tokens, $later->token() . "\n", FILE_APPEND) && $later->write('more ') && $later->detach(),
                        'redirect' => $later->redirect('/else'),
                    };
                }
                return $response->end($seen);
            case '/plain':
                file_put_contents($tokens, $response->token() . "\n", FILE_APPEND);
                return $response->detach();
            case '/fd':
                $response->detach();
                $fd = $request->fd;
                $later = isset($get['text']) ? Ferrite\Http\Response::create($server, (string) $fd) : Ferrite\Http\Response::create($fd);
                return $later->end("by number\n");
            case '/stats': return $response->end((string) $server->stats()['detached_num']);
            case '/bad':
                $said = [];
                foreach ([['x'], [''], [str_repeat('0', 56)], [str_repeat('g', 56)], [-1], [999999], [$server, '1.5'], [new stdClass, 'x'], [null, 1], [$server]] as $given) {
                    try {
                        $said[] = Ferrite\Http\Response::create(...$given)->isWritable() ? 'writable' : 'nobody waits';
                    } catch (Throwable $exception) {
                        $said[] = get_class($exception) . ': ' . $exception->getMessage();
                    }
                }
                $response->end(implode("\n", $said) . "\n");
                try {
                    $response->token();
                } catch (Ferrite\Exception $exception) {
                    tell('ended', $exception->getMessage() . "\n");
                }
        }
    });
    $server->start();
    CODE);
file_put_contents($server->place('file'), '0123456789');

/** Sends a request and leaves its response to come. */
$ask = function (string $target, string $method = 'GET', array $headers = []) use ($server) {
    $client = $server->connect();
    $client->request($method, $target, $headers);
    return $client;
};
$parked = fn (int $count) => wait_until(fn () => $server->get('/stats')->body === (string) $count, "$count are detached");
$show = function ($response) {
    echo $response->status, ' ', $response->reason, ' ', json_encode($response->headers['x-before'] ?? null), ' ', $response->header('set-cookie') ?? '-', ' ',
        preg_replace('/\d{3,}/', 'N', $response->body), $response->complete ? '' : ' (incomplete)', "\n";
};

echo "-- end\n";
$client = $ask('/park');
$parked(1);
echo $server->told('detached'), "\n", $server->get('/answer')->body, "\n";
$show($client->response());
// The connection goes on.
$client->request('GET', '/stats');
echo 'then ', $client->response()->body, "\n";

echo "-- write before and behind, by three callbacks\n";
$client = $ask('/park?write', 'GET', ['TE' => 'trailers']);
$parked(1);
$server->get('/answer?how=again');
$parked(1);
$server->get('/answer');
$show($client->response());
echo str_replace("\r\n", ' ', $client->bytes(17)), "\n";

echo "-- HEAD\n";
$client = $ask('/plain', 'HEAD');
$parked(1);
$server->get('/answer');
echo $client->response('HEAD')->header('content-length') > 5 ? "length\n" : "none\n";

echo "-- a file, by range and condition\n";
$client = $ask('/plain', 'GET', ['Range' => 'bytes=2-4']);
$parked(1);
$server->get('/answer?how=file');
$file = $client->response();
echo $file->status, ' ', $file->header('content-range'), ' ', $file->body, "\n";
$client = $ask('/plain', 'GET', ['If-None-Match' => $file->header('etag')]);
$parked(1);
$server->get('/answer?how=file');
echo $client->response()->status, "\n";

echo "-- a redirection\n";
$client = $ask('/plain');
$parked(1);
$server->get('/answer?how=redirect');
echo $client->response()->header('location'), "\n";

echo "-- pipelined\n";
$client = $server->connect();
$client->send("GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /pid HTTP/1.1\r\nHost: a\r\n\r\n");
$parked(1);
$server->get('/answer');
echo str_starts_with($client->response()->body, 'from ') ? 'the first ' : '', is_numeric($client->response()->body) ? "the second\n" : "\n";

echo "-- not ended\n";
$client = $ask('/plain');
$parked(1);
$server->get('/answer?how=not');
echo $client->response()->status, "\n";
$server->waitForLog("~were not ended by the callback~");

echo "-- as many as there may be\n";
$clients = array_map(fn () => $ask('/plain'), range(1, 3));
$parked(3);
$full = $server->get('/full');
echo $full->status, ' ', $full->body, "\n";
foreach ($clients as $client) {
    $client->close();
}
$parked(0);
@unlink($server->place('tokens'));

echo "-- by the connection\n";
echo $server->get('/fd')->body, $server->get('/fd?text')->body;

echo "-- mistakes\n";
echo $server->get('/bad')->body;
echo $server->told('ended');
echo $server->stop(), "\n";
?>
--EXPECT--
-- end
[true,false,false,false,false,true,true]56
[true,false,false,202,{"X-Before":["set","twice"]},["a=b; Path=\/"],null,true]
202 Later ["set","twice"] a=b; Path=/ from N
then 0
-- write before and behind, by three callbacks
202 Later ["set","twice"] a=b; Path=/ begun more from N
Trailer: kept  
-- HEAD
length
-- a file, by range and condition
206 bytes 2-4/10 234
304
-- a redirection
/else
-- pipelined
the first the second
-- not ended
500
-- as many as there may be
503 As many responses are detached as max_detached allows: answer this one now, or raise the option
-- by the connection
by number
by number
-- mistakes
ValueError: Ferrite\Http\Response::create(): Argument #1 ($server) must be what token() has returned, or the number of a connection
ValueError: Ferrite\Http\Response::create(): Argument #1 ($server) must be what token() has returned, or the number of a connection
nobody waits
ValueError: Ferrite\Http\Response::create(): Argument #1 ($server) must be what token() has returned, or the number of a connection
Ferrite\Exception: This worker has detached no response on connection -1 that it has not taken over again; another worker takes it over by its token()
Ferrite\Exception: This worker has detached no response on connection 999999 that it has not taken over again; another worker takes it over by its token()
ValueError: Ferrite\Http\Response::create(): Argument #2 ($fd) must be what token() has returned, or the number of a connection
TypeError: Ferrite\Http\Response::create(): Argument #1 ($server) must be a Ferrite\Http\Server
TypeError: Ferrite\Http\Response::create(): Argument #1 ($server) must be a Ferrite\Http\Server
TypeError: Ferrite\Http\Response::create(): Argument #1 ($server) must be a token or the number of a connection
The response has been ended: there is nothing to take over
0
