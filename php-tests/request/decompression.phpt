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
off
bool(true)
