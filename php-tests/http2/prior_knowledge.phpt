--TEST--
HTTP/2 with prior knowledge on a cleartext port: what the handler sees is what HTTP/1 shows
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) {
        $response->end(json_encode([
            $request->server['server_protocol'], $request->server['request_method'],
            $request->server['request_uri'], $request->server['query_string'] ?? null, $request->streamId,
            $request->header['host'], $request->header['cookie'] ?? null, $request->cookie,
            $request->rawContent(), $request->trailer,
        ], JSON_UNESCAPED_SLASHES));
    });
    CODE);

function frame(int $type, int $flags, int $stream, string $payload): string
{
    return substr(pack('N', strlen($payload)), 1) . chr($type) . chr($flags) . pack('N', $stream) . $payload;
}

/** Fields as HPACK literals without an index. */
function fields(array $fields): string
{
    $block = '';
    foreach ($fields as [$name, $value]) {
        $block .= "\0" . chr(strlen($name)) . $name . chr(strlen($value)) . $value;
    }
    return $block;
}

/** Reads frames until $ends streams have ended; returns the content of each. */
function answers(TestConnection $connection, int $ends): array
{
    $content = [];
    while ($ends > 0) {
        $head = $connection->bytes(9);
        $payload = $connection->bytes(unpack('N', "\0" . substr($head, 0, 3))[1]);
        [$type, $flags, $stream] = [ord($head[3]), ord($head[4]), unpack('N', substr($head, 5))[1]];
        if ($type === 0) {
            $content[$stream] = ($content[$stream] ?? '') . $payload;
        } elseif ($type === 4 && $flags === 0) {
            $connection->send(frame(4, 1, 0, ''));
        } elseif ($type === 3 || $type === 7) {
            throw new RuntimeException("stream $stream was ended by a frame of type $type: " . bin2hex($payload));
        }
        $ends -= $type < 2 ? $flags & 1 : 0;
    }
    ksort($content);
    return $content;
}

$common = [[':scheme', 'http'], [':authority', 'example.org:8080'], ['cookie', 'a=1'], ['cookie', 'b=2']];
$get = fields([[':method', 'GET'], [':path', '/path?x=1'], ...$common]);
$post = fields([[':method', 'POST'], [':path', '/post'], ...$common]);
$connection = $server->connect();
$connection->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, ''));
$connection->send(frame(1, 5, 1, $get));
$connection->send(frame(1, 4, 3, $post) . frame(0, 0, 3, 'body ') . frame(0, 0, 3, 'of two') . frame(1, 5, 3, fields([['x-sum', '7']])));
foreach (answers($connection, 2) as $stream => $content) {
    echo "$stream: $content\n";
}
// One connection, many streams; and HTTP/1 on the same port.
for ($stream = 5; $stream < 65; $stream += 2) {
    $connection->send(frame(1, 5, $stream, $get));
}
echo count(answers($connection, 30)), " answers\n";
echo $server->get('/one')->body, "\n";
$connection->close();

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'open_http2_protocol' => false]);
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE);
$connection = $server->connect();
$connection->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
echo $connection->response()->status, "\n";
?>
--EXPECT--
1: ["HTTP/2","GET","/path","x=1",1,"example.org:8080","a=1; b=2",{"a":"1","b":"2"},"",null]
3: ["HTTP/2","POST","/post",null,3,"example.org:8080","a=1; b=2",{"a":"1","b":"2"},"body of two",{"x-sum":"7"}]
30 answers
["HTTP/1.1","GET","/one",null,0,"localhost",null,null,"",null]
505
