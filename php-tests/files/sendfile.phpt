--TEST--
sendfile(): ranges and conditional requests, unless the handler has decided
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $file = place('ten.txt');
    if (!is_file($file)) {
        file_put_contents($file, '0123456789');
        touch($file, 1000000000);
    }
    foreach ($request->get['h'] ?? [] as $name => $value) {
        $response->header($name, $value);
    }
    if (isset($request->get['status'])) {
        $response->status((int) $request->get['status']);
    }
    $response->cookie('c', '1');
    $response->sendfile($file, ...json_decode($request->get['a'] ?? '[]'));
    CODE);
$etag = $server->get('/')->header('ETag');
var_dump(preg_match('/^"[0-9a-f-]+"$/D', $etag));
$cases = [
    ['/', ['If-None-Match' => $etag]],
    ['/', ['If-Modified-Since' => 'Sun, 09 Sep 2001 01:46:40 GMT']],
    ['/', ['If-Match' => '"other"']],
    ['/', ['Range' => 'bytes=2-4']],
    ['/', ['Range' => 'bytes=20-']],
    ['/', ['Range' => 'bytes=2-4', 'If-Range' => '"other"']],
    ['/?h[Content-Type]=a/b&h[Content-Disposition]=attachment', ['Range' => 'bytes=-1']],
    ['/?h[ETag]=%22mine%22', ['If-None-Match' => '"mine"']],
    ['/?h[Accept-Ranges]=none', ['Range' => 'bytes=2-4']],
    ['/?a=[2]', ['Range' => 'bytes=2-4']],
    ['/?status=404', ['Range' => 'bytes=2-4', 'If-None-Match' => $etag]],
    ['/?h[Content-Length]=10', ['Range' => 'bytes=2-4']],
];
foreach ($cases as [$path, $headers]) {
    echo "-- $path ", key($headers), "\n";
    $response = $server->get($path, $headers);
    $response->head = str_replace($etag, '"etag"', $response->head);
    show($response);
}
file_put_contents($server->place('ten.txt'), str_repeat('0123456789', 1000));
$response = $server->get('/', ['Range' => 'bytes=0-1,9000-9001']);
preg_match('/boundary=(\w+)/', $response->header('Content-Type'), $match);
echo strtr($response->body, ["--$match[1]" => '==B', "\r" => '']);
echo $server->request('POST', '/', ['Range' => 'bytes=2-4'])->status, "\n";
echo $server->request('HEAD', '/', ['Range' => 'bytes=2-4'])->header('Content-Length'), "\n";
?>
--EXPECT--
int(1)
-- / If-None-Match
304 Not Modified
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Set-Cookie: c=1; Path=/
-- / If-Modified-Since
304 Not Modified
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Set-Cookie: c=1; Path=/
-- / If-Match
412 Precondition Failed
Content-Type: text/plain; charset=utf-8
Set-Cookie: c=1; Path=/
Content-Length: 24
412 Precondition Failed
-- / Range
206 Partial Content
Content-Type: text/plain; charset=utf-8
Content-Range: bytes 2-4/10
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Set-Cookie: c=1; Path=/
Content-Length: 3
234
-- / Range
416 Range Not Satisfiable
Content-Type: text/plain; charset=utf-8
Content-Range: bytes */10
Set-Cookie: c=1; Path=/
Content-Length: 26
416 Range Not Satisfiable
-- / Range
200 OK
Content-Type: text/plain; charset=utf-8
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Set-Cookie: c=1; Path=/
Content-Length: 10
0123456789
-- /?h[Content-Type]=a/b&h[Content-Disposition]=attachment Range
206 Partial Content
Content-Disposition: attachment
Content-Type: a/b
Content-Range: bytes 9-9/10
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Set-Cookie: c=1; Path=/
Content-Length: 1
9
-- /?h[ETag]=%22mine%22 If-None-Match
304 Not Modified
Etag: "mine"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Set-Cookie: c=1; Path=/
-- /?h[Accept-Ranges]=none Range
200 OK
Accept-Ranges: none
Content-Type: text/plain; charset=utf-8
Etag: "etag"
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Set-Cookie: c=1; Path=/
Content-Length: 10
0123456789
-- /?a=[2] Range
200 OK
Content-Type: text/plain; charset=utf-8
Set-Cookie: c=1; Path=/
Content-Length: 8
23456789
-- /?status=404 Range
404 Not Found
Content-Type: text/plain; charset=utf-8
Set-Cookie: c=1; Path=/
Content-Length: 10
0123456789
-- /?h[Content-Length]=10 Range
200 OK
Content-Type: text/plain; charset=utf-8
Set-Cookie: c=1; Path=/
Content-Length: 10
0123456789

==B
Content-Type: text/plain; charset=utf-8
Content-Range: bytes 0-1/10000

01
==B
Content-Type: text/plain; charset=utf-8
Content-Range: bytes 9000-9001/10000

01
==B--
200
10000
