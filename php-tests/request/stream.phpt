--TEST--
Request::stream(): a handler reads the body while it arrives, asks for it first, and learns that it breaks off
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set([
        'worker_num' => 1, 'reactor_num' => 1, 'body_stream_locations' => ['/up/', '/slow'],
        'package_max_length' => '64M', 'body_timeout' => 0.5, 'body_stream_rate_min' => 1 << 20,
    ]);
    $server->on('Request', function ($request, $response) {
        static $kept;
        $warnings = [];
        set_error_handler(function ($level, $message) use (&$warnings) { $warnings[] = $message; return true; });
        switch ($request->server['request_uri']) {
            case '/up/refuse':
                $response->status(403);
                return $response->end('refused');
            case '/up/lines':
                $stream = $request->stream();
                $response->write(json_encode([$request->isCompleted(), get_resource_type($stream), feof($stream)]));
                while (($line = fgets($stream)) !== false) {
                    $response->write('[' . rtrim($line) . ']');
                }
                $response->write(json_encode([feof($stream), $request->isCompleted(), $request->trailer]));
                return $response->end(json_encode([fread($stream, 10), @fwrite($stream, 'x'), $request->rawContent()]));
            case '/up/raw':
                $first = fread($request->stream(), 3);
                return $response->end($first . '|' . $request->rawContent() . '|' . $request->getContent());
            case '/up/post':
                return $response->end(json_encode($request->post) . $request->rawContent());
            case '/up/files':
                $post = json_encode($request->post);
                return $response->end($post . json_encode(array_map(fn ($file) => [
                    $file['error'], $file['size'], $file['error'] ? null : md5_file($file['tmp_name'])], $request->files)));
            case '/up/kept':
                $kept = $request->stream();
                return $response->end('kept');
            case '/up/told':
            case '/slow':
                $stream = $request->stream();
                touch(place('begun'));
                for ($read = 0; !feof($stream); $read += strlen($piece)) {
                    if (($piece = fread($stream, 8192)) === false) {
                        break;
                    }
                }
                file_put_contents(place('told'), json_encode([$read, feof($stream), $warnings]) . "\n", FILE_APPEND);
                return $response->end((string) $read);
            case '/told':
                unlink(place('begun'));
                $told = file_get_contents(place('told'));
                unlink(place('told'));
                return $response->end($told);
            case '/kept':
                $read = fread($kept, 10);
                return $response->end(json_encode([$read, feof($kept), $warnings]));
            default:
                $stream = $request->stream();
                $all = md5(stream_get_contents($stream));
                $again = feof($stream) && rewind($stream) && $all === md5(stream_get_contents($stream));
                $end = substr(stream_get_contents($stream, -1, max(ftell($stream) - 2, 0)), -2);
                return $response->end(json_encode([$all, $all === md5(stream_get_contents($request->stream())), $request->isCompleted(),
                    $again, ftell($stream), $end === substr($request->rawContent(), -2), fseek($stream, 1, SEEK_END), fseek($stream, -1),
                    stream_get_meta_data($stream)['seekable']]));
        }
    });
    CODE);

echo "-- the handler works before there is a body, and is asked for it at its first read\n";
$client = $server->connect();
$client->send("POST /up/lines HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
echo $client->bytes(strlen("HTTP/1.1 200 OK\r\n"));
$client->send("1\r\na\r\n0\r\n\r\n");
preg_match_all('~^[\[{].*~m', $client->rest(), $pieces);
echo implode(' ', array_map('trim', $pieces[0])), "\n";
$client = $server->connect();
$client->send("POST /up/raw HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
$response = $client->response();
echo $response->status, "\n";
$client->send('abcdef');
echo $client->response()->body, "\n";

echo "-- one that does not read does not ask\n";
$client->send("POST /up/refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
$response = $client->response();
echo $response->status, ' ', $response->body, "\n";

echo "-- pieces, lines, trailers\n";
$client = $server->connect();
$client->send("POST /up/lines HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab\nc\r\n");
$client->send("3\r\nd\ne\r\n0\r\nX-Sum: 1\r\n\r\n");
echo $client->response()->body, "\n";

echo "-- forms\n";
$urlencoded = ['Content-Type' => 'application/x-www-form-urlencoded'];
echo $server->request('POST', '/up/post', $urlencoded, 'a=1&b[]=2')->body, "\n";
$content = random_bytes(1_500_000);
$form = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B\r\n"
    . "Content-Disposition: form-data; name=f; filename=x\r\n\r\n$content\r\n--B--\r\n";
$multipart = ['Content-Type' => 'multipart/form-data; boundary=B'];
echo str_replace(md5($content), 'its md5', $server->request('POST', '/up/files', $multipart, $form)->body), "\n";

echo "-- nobody holds a worker who does not send\n";
$client = $server->connect();
$client->send("POST /up/told HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
echo $client->response()->status, ' ', $server->get('/told')->body;
$client = $server->connect();
$client->send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
try {
    for ($until = microtime(true) + 10; microtime(true) < $until; usleep(50_000)) {
        $client->send('x');
    }
    echo "it is never too slow\n";
} catch (RuntimeException) {
    [$read, $end, $warnings] = json_decode($server->get('/told')->body);
    echo $read < 100 ? 'a few bytes' : $read, ' ', json_encode([$end, $warnings]), "\n";
}

echo "-- a client that leaves\n";
$client = $server->connect();
$client->send("POST /up/told HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
wait_until(fn () => file_exists($server->place('begun')), 'the handler reads');
$client->close();
echo $server->get('/told')->body;

echo "-- behind the end of the request there is nothing\n";
$client = $server->connect();
$client->send("POST /up/kept HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
echo $client->response()->body, ' ', $server->get('/kept')->body, "\n";

echo "-- stored bodies: none, in memory, in a file\n";
foreach (['', 'abc', $content] as $body) {
    $response = $server->request('POST', '/', [], $body)->body;
    echo str_replace(md5($body), 'its md5', $response), "\n";
}
echo $server->get('/up/raw')->body, "\n", $server->stop(), "\n";
foreach (preg_grep('/ERROR|WARN/', explode("\n", $server->log())) as $line) {
    echo preg_replace('/^\S+ /', '', $line), "\n";
}
?>
--EXPECT--
-- the handler works before there is a body, and is asked for it at its first read
HTTP/1.1 200 OK
[false,"stream",false] [a] [true,true,null] ["",false,""]
100
abc||
-- one that does not read does not ask
403 refused
-- pieces, lines, trailers
[false,"stream",false][ab][cd][e][true,true,{"x-sum":"1"}]["",false,""]
-- forms
{"a":"1","b":["2"]}a=1&b[]=2
{"a":"1"}{"f":[0,1500000,"its md5"]}
-- nobody holds a worker who does not send
408 [3,true,["fread(): the content of the request breaks off: the client stalled"]]
a few bytes [true,["fread(): the content of the request breaks off: the client stalled"]]
-- a client that leaves
[3,true,["fread(): the content of the request breaks off: the client left"]]
-- behind the end of the request there is nothing
kept [false,true,["fread(): the content of the request breaks off: the response has been ended before"]]
-- stored bodies: none, in memory, in a file
["its md5",true,true,true,0,true,-1,-1,true]
["its md5",true,true,true,3,true,-1,-1,true]
["its md5",true,true,true,1500000,true,-1,-1,true]
||
0
