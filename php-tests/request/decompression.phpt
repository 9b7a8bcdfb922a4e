--TEST--
http_decompression: the handler sees decoded content; what cannot be decoded it does not see
--FILE--
<?php
require __DIR__ . '/../show.inc';

const HANDLER = <<<'CODE'
    $headers = array_intersect_key($request->header, array_flip(['content-encoding', 'content-length']));
    $content = $request->rawContent();
    $response->end(json_encode($headers) . ' ' . strlen($content) . ' ' . md5($content)
        . ' ' . json_encode($request->post));
    CODE;

$form = 'a=1&b=' . str_repeat('x', 20);
$type = ['Content-Type' => 'application/x-www-form-urlencoded'];
$gzip = $type + ['Content-Encoding' => 'gzip'];
// "hello, hello, hello", as brotli writes it.
$brotli = "\x0b\x09\x80hello, hello, hello\x03";
// A frame of one raw block (RFC 8878, 3.1.1).
$zstd = "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello";

echo "on\n";
$server = serve(HANDLER, "'http_decompression' => true, 'package_max_length' => '1M', 'body_memory_bytes_max' => '4K'");
foreach ([[$gzip, gzencode($form)], [$type, $form], [['Content-Encoding' => 'br'], $brotli], [['Content-Encoding' => 'zstd'], $zstd],
    [['Content-Encoding' => 'x-gzip'], gzencode(str_repeat('abcdefgh', 100_000))],
    [['Content-Encoding' => 'identity'], 'as it is']] as [$headers, $content]) {
    echo $server->request('POST', '/', $headers, $content)->body, "\n";
}
echo md5(str_repeat('abcdefgh', 100_000)), "\n";
$chunked = dechex(strlen(gzencode($form))) . "\r\n" . gzencode($form) . "\r\n0\r\n\r\n";
echo $server->request('POST', '/', $gzip + ['Transfer-Encoding' => 'chunked'], $chunked)->body, "\n";
echo $server->get('/', ['Content-Encoding' => 'gzip'])->body, "\n";

echo "refused\n";
$bomb = gzencode(str_repeat("\0", 2 << 20), 9);
foreach ([['deflate', gzcompress($form)], ['gzip, br', 'x'], ['gzip', 'x'], ['gzip', substr(gzencode($form), 0, -1)],
    ['gzip', gzencode($form) . 'more'], ['br', $brotli . 'more'], ['zstd', substr($zstd, 0, -1)], ['gzip', $bomb]] as [$coding, $content]) {
    $response = $server->request('POST', '/', ['Content-Encoding' => $coding], $content);
    echo $response->status, ' ', $response->header('accept-encoding') ?? '-', ' ', $response->body;
}
echo preg_match_all('/INFO .*POST \/: refused, 4\d\d: /', $server->log()), "\n";
echo preg_match('/WARN|ERROR/', $server->log()), "\n";
unset($server);

echo "its own bound\n";
$server = serve(HANDLER, "'http_decompression' => true, 'package_max_length' => '1M', 'http_decompression_bytes_max' => '3M'");
echo $server->request('POST', '/', ['Content-Encoding' => 'gzip'], $bomb)->body, "\n";
unset($server);

echo "read while it arrives\n";
$server = serve(<<<'CODE'
    $warnings = [];
    set_error_handler(function ($level, $message) use (&$warnings) { $warnings[] = $message; return true; });
    $headers = array_intersect_key($request->header, array_flip(['content-encoding', 'content-length']));
    try {
        [$content, $more] = match ($request->server['request_uri']) {
            '/stream' => [stream_get_contents($request->stream()), fread($request->stream(), 10)],
            '/raw' => [$request->rawContent(), ''],
            '/form' => [json_encode([$request->post, array_map(fn ($file) => md5_file($file['tmp_name']), $request->files ?? [])]), ''],
        };
    } catch (Ferrite\Exception $e) {
        [$content, $more] = [$e->getMessage(), ''];
    }
    $content = strlen(trim($content, "\0")) === 0 && strlen($content) > 800_000 && strlen($content) <= 900 << 10 ? 'less than the bound' : $content;
    $response->end(json_encode([$headers, strlen($content), strlen($content) < 200 ? $content : md5($content), $more, $warnings]));
    CODE, "'http_decompression' => true, 'package_max_length' => '1M', 'body_stream' => true, 'http_decompression_bytes_max' => '900K'");
$large = str_repeat('abcdefgh', 100_000);
$multipart = "--B\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n$large\r\n--B--\r\n";
$as_form = ['Content-Type' => 'multipart/form-data; boundary=B', 'Content-Encoding' => 'gzip'];
foreach ([['/stream', ['Content-Encoding' => 'gzip'], gzencode($large)], ['/stream', ['Content-Encoding' => 'br'], $brotli],
    ['/stream', ['Content-Encoding' => 'zstd'], $zstd], ['/stream', [], 'as it is'], ['/raw', $gzip, gzencode($form)],
    ['/form', $gzip, gzencode($form)], ['/form', $as_form, gzencode($multipart)], ['/stream', ['Content-Encoding' => 'deflate'], 'x'],
    ['/stream', ['Content-Encoding' => 'gzip'], $bomb], ['/raw', ['Content-Encoding' => 'gzip'], $bomb],
    ['/stream', ['Content-Encoding' => 'gzip'], gzencode($form) . 'more'], ['/stream', ['Content-Encoding' => 'gzip'], 'x']] as [$path, $headers, $content]) {
    $response = $server->request('POST', $path, $headers, $content);
    echo $response->status, ' ', str_replace(md5($large), 'its md5', trim($response->body)), "\n";
}
// The handler has what is there while the rest is still to come.
$client = $server->connect();
$client->send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
foreach (str_split(gzencode('byte by byte')) as $byte) {
    $client->send("1\r\n$byte\r\n");
}
$client->send("0\r\n\r\n");
echo $client->response()->body, "\n";
unset($server);

echo "off\n";
$server = serve(HANDLER);
$sent = gzencode($form);
$body = $server->request('POST', '/', ['Content-Encoding' => 'gzip'], $sent)->body;
var_dump($body === json_encode(['content-encoding' => 'gzip', 'content-length' => (string) strlen($sent)])
    . ' ' . strlen($sent) . ' ' . md5($sent) . ' null');
?>
--EXPECT--
on
{"content-length":"26"} 26 a1f49b0a0a2e5ce85cc227c04e979057 {"a":"1","b":"xxxxxxxxxxxxxxxxxxxx"}
{"content-length":"26"} 26 a1f49b0a0a2e5ce85cc227c04e979057 {"a":"1","b":"xxxxxxxxxxxxxxxxxxxx"}
{"content-length":"19"} 19 120d5c2a6a08e3edda2b71f70fcb37ca null
{"content-length":"5"} 5 5d41402abc4b2a76b9719d911017c592 null
{"content-length":"800000"} 800000 352665d64d287900a2c7ec628331b7da null
{"content-encoding":"identity","content-length":"8"} 8 72cae6b648b8ae68264929842fb01c74 null
352665d64d287900a2c7ec628331b7da
{"content-length":"26"} 26 a1f49b0a0a2e5ce85cc227c04e979057 {"a":"1","b":"xxxxxxxxxxxxxxxxxxxx"}
{"content-length":"0"} 0 d41d8cd98f00b204e9800998ecf8427e null
refused
415 gzip, br, zstd 415 Unsupported Media Type
415 gzip, br, zstd 415 Unsupported Media Type
400 - 400 Bad Request
400 - 400 Bad Request
400 - 400 Bad Request
400 - 400 Bad Request
400 - 400 Bad Request
413 - 413 Payload Too Large
8
0
its own bound
{"content-length":"2097152"} 2097152 b2d1236c286a3c0704224fe4105eca49 null
read while it arrives
200 [[],800000,"its md5","",[]]
200 [[],19,"hello, hello, hello","",[]]
200 [[],5,"hello","",[]]
200 [{"content-length":"8"},8,"as it is","",[]]
200 [[],26,"a=1&b=xxxxxxxxxxxxxxxxxxxx","",[]]
200 [[],41,"[{\"a\":\"1\",\"b\":\"xxxxxxxxxxxxxxxxxxxx\"},[]]","",[]]
200 [[],47,"[null,{\"f\":\"its md5\"}]","",[]]
415 415 Unsupported Media Type
200 [[],19,"less than the bound",false,["stream_get_contents(): the content of the request breaks off: it is larger than http_decompression_bytes_max when it is decoded","fread(): the content of the request breaks off: it is larger than http_decompression_bytes_max when it is decoded"]]
200 [[],105,"the body of the request cannot be read: it is larger than http_decompression_bytes_max when it is decoded","",[]]
200 [[],26,"a=1&b=xxxxxxxxxxxxxxxxxxxx",false,["stream_get_contents(): the content of the request breaks off: it is not in its content coding","fread(): the content of the request breaks off: it is not in its content coding"]]
200 [[],0,"",false,["stream_get_contents(): the content of the request breaks off: it is not in its content coding","fread(): the content of the request breaks off: it is not in its content coding"]]
[[],12,"byte by byte","",[]]
off
bool(true)
