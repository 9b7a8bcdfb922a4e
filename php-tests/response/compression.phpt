--TEST--
http_compression: the client's weights choose the coding, and what must stay as it is does
--SKIPIF--
<?php function_exists('gzdecode') || die('skip zlib is the decoder');
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $get = $request->get ?? [];
    if (isset($get['status'])) {
        $response->status((int) $get['status']);
    }
    foreach ($get['header'] ?? [] as $name => $value) {
        $response->header($name, $value);
    }
    $content = str_repeat('<p>A page.</p>', intdiv((int) ($get['bytes'] ?? 14000), 14));
    switch ($request->server['request_uri']) {
        case '/end': return $response->end($content);
        case '/noise': return $response->end(random_bytes(5000));
        case '/empty': return $response->end();
        case '/untyped': $response->header('Content-Type', null); return $response->end($content);
        case '/file': file_put_contents(place('page.html'), $content); return $response->sendfile(place('page.html'));
        case '/redirect': return $response->redirect('/');
        case '/declared': $response->header('Content-Length', strlen($content)); return $response->end($content);
        case '/trailer': $response->trailer('X-Sum', '1'); return $response->end($content);
        case '/write':
            foreach (str_split($content, 999) as $piece) {
                $response->write($piece);
            }
            return $response->end('<!-- end -->');
        case '/declared-write':
            $response->header('Content-Length', 2800);
            $response->write(substr($content, 0, 1400));
            try {
                $response->write(substr($content, 0, 1401));
            } catch (Ferrite\Exception $e) {
                tell('refused', $e->getMessage());
            }
            return $response->end(substr($content, 0, 1400));
    }
    CODE, "'http_compression' => true");

/** What came: status, fields that compression changes, and what the content is. */
function look(TestResponse $response): string
{
    $coding = $response->header('content-encoding');
    $body = match (true) {
        $coding === 'gzip' && $response->body !== '' => gzdecode($response->body),
        $coding === 'br' && !isset($response->headers['etag']), $coding === 'zstd' => '(it is checked elsewhere)',
        default => $response->body,
    };
    $told = array_filter([
        $response->status,
        $coding,
        ($vary = $response->header('vary')) === null ? '' : "Vary: $vary",
        ($tag = $response->header('etag')) === null ? '' : "ETag: $tag",
        $response->header('accept-ranges') === null ? '' : 'ranges',
        $response->header('transfer-encoding'),
        match ($length = $response->header('content-length')) {
            null => 'no length',
            (string) strlen($response->body) => 'its length',
            default => "length $length",
        },
        str_starts_with($body, '(') || $body === '' ? $body : strlen($body) . ' ' . md5($body),
        $response->complete ? '' : '(broken off)',
    ]);
    return implode(' | ', $told);
}

$connection = $server->connect();
$ask = function (string $target, string|array $accept = 'gzip', string $method = 'GET', array $more = []) use (&$connection): void {
    $headers = ($accept === '' ? [] : ['Accept-Encoding' => $accept]) + $more;
    $connection->request($method, $target, $headers);
    $accept = implode(' + ', (array) $accept);
    echo "$method $target ($accept): ", look($connection->response($method)), "\n";
};
echo "expected: ", md5(str_repeat('<p>A page.</p>', 1000)), ' ', md5(str_repeat('<p>A page.</p>', 1000) . '<!-- end -->'), "\n";
foreach (['', 'gzip', 'GZIP;q=0.1', ['identity', 'br'], 'gzip, deflate, br, zstd', 'gzip, br', 'br;q=0.5, gzip;q=0.8', 'gzip;q=0, br;q=0',
    'zstd;q=0, br;q=0, *', '*', '*;q=0', 'identity, gzip;q=0.5', 'deflate', 'gzip;q=2'] as $accept) {
    $ask('/end', $accept);
}
echo "-- how it is sent\n";
$ask('/write');
$ask('/write', '');
$ask('/declared');
$ask('/declared', '');
$ask('/trailer');
$connection = $server->connect(); // the client here does not know trailers
$ask('/declared-write?bytes=2800');
echo $server->told('refused'), "\n";
$ask('/end?bytes=1036');
$ask('/end?bytes=1022');
$connection->request('GET', '/noise?header[content-type]=text/plain', ['Accept-Encoding' => 'br']);
$noise = $connection->response();
var_dump($noise->header('content-encoding'), $noise->header('vary'), strlen($noise->body), $noise->header('content-length'));
echo "-- methods and statuses\n";
$ask('/end', 'gzip', 'HEAD');
$ask('/write', 'gzip', 'HEAD');
$ask('/empty', 'gzip', 'HEAD');
$ask('/empty?header[content-length]=5000', 'gzip', 'HEAD');
$ask('/empty?header[content-length]=5000', 'br;q=0', 'HEAD');
$ask('/empty');
$ask('/end?status=204');
$ask('/write?status=204');
$ask('/end?status=205');
$ask('/write?status=205');
$ask('/empty?status=205');
$ask('/empty?status=304&header[etag]="a"');
$ask('/empty?status=304&header[etag]="a"', '');
$ask('/empty?status=304&header[etag]="a"&header[content-type]=image/png');
$ask('/end?status=404');
$ask('/redirect');
$ask('/end', 'gzip', 'POST', ['Content-Length' => '0']);
echo "-- what must stay as it is\n";
$ask('/end?header[content-encoding]=br&header[etag]="a"');
$ask('/end?header[content-encoding]=identity');
$ask('/end?status=206&header[content-range]=bytes+0-13999/20000');
$ask('/end?header[content-range]=bytes+0-13999/20000');
$ask('/end?header[cache-control]=public,No-Transform');
$ask('/end?header[content-digest]=sha-256=:x:');
$ask('/end?header[content-type]=image/png');
$ask('/end?header[content-type]=text/event-stream');
$ask('/write?header[content-type]=text/event-stream');
$ask('/untyped');
$ask('/file?header[etag]="a"', 'gzip', 'GET', ['Range' => 'bytes=0-9']);
echo "-- what is said of it\n";
$ask('/end?header[content-type]=Application/JSON;charset=utf-8');
$ask('/end?header[vary]=Origin&header[etag]="a"&header[accept-ranges]=bytes');
$ask('/end?header[vary]=Origin&header[etag]="a"&header[accept-ranges]=bytes', '');
$ask('/end?header[vary]=origin,accept-encoding&header[etag]=W/"a"');
$ask('/end?header[vary]=*');
?>
--EXPECT--
expected: 8627ab4d603fc16388a35864294428b9 18a4fe51a8ead93762c062768bacd045
GET /end (): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (gzip): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (GZIP;q=0.1): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (identity + br): 200 | br | Vary: Accept-Encoding | its length | (it is checked elsewhere)
GET /end (gzip, deflate, br, zstd): 200 | zstd | Vary: Accept-Encoding | its length | (it is checked elsewhere)
GET /end (gzip, br): 200 | br | Vary: Accept-Encoding | its length | (it is checked elsewhere)
GET /end (br;q=0.5, gzip;q=0.8): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (gzip;q=0, br;q=0): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (zstd;q=0, br;q=0, *): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (*): 200 | zstd | Vary: Accept-Encoding | its length | (it is checked elsewhere)
GET /end (*;q=0): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (identity, gzip;q=0.5): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (deflate): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end (gzip;q=2): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
-- how it is sent
GET /write (gzip): 200 | gzip | Vary: Accept-Encoding | chunked | no length | 14012 18a4fe51a8ead93762c062768bacd045
GET /write (): 200 | Vary: Accept-Encoding | chunked | no length | 14012 18a4fe51a8ead93762c062768bacd045
GET /declared (gzip): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /declared (): 200 | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /trailer (gzip): 200 | gzip | Vary: Accept-Encoding | chunked | no length | 14000 8627ab4d603fc16388a35864294428b9
GET /declared-write?bytes=2800 (gzip): 200 | gzip | Vary: Accept-Encoding | chunked | no length | 2800 770cd9576563c203c5037bcc2f442c75
1401 bytes of content are more than the 1400 that Content-Length leaves
GET /end?bytes=1036 (gzip): 200 | gzip | Vary: Accept-Encoding | its length | 1036 1e28f81a8d43e505bcf4a73ebcf8ea27
GET /end?bytes=1022 (gzip): 200 | its length | 1022 46d23947269910bd98f8b5a3902e908b
NULL
string(15) "Accept-Encoding"
int(5000)
string(4) "5000"
-- methods and statuses
HEAD /end (gzip): 200 | gzip | Vary: Accept-Encoding | length 134
HEAD /write (gzip): 200 | gzip | Vary: Accept-Encoding | no length
HEAD /empty (gzip): 200 | no length
HEAD /empty?header[content-length]=5000 (gzip): 200 | gzip | Vary: Accept-Encoding | no length
HEAD /empty?header[content-length]=5000 (br;q=0): 200 | Vary: Accept-Encoding | length 5000
GET /empty (gzip): 200 | its length
GET /end?status=204 (gzip): 204 | no length
GET /write?status=204 (gzip): 204 | no length
GET /end?status=205 (gzip): 205 | its length
GET /write?status=205 (gzip): 205 | its length
GET /empty?status=205 (gzip): 205 | its length
GET /empty?status=304&header[etag]="a" (gzip): 304 | Vary: Accept-Encoding | ETag: W/"a" | no length
GET /empty?status=304&header[etag]="a" (): 304 | Vary: Accept-Encoding | ETag: "a" | no length
GET /empty?status=304&header[etag]="a"&header[content-type]=image/png (gzip): 304 | ETag: "a" | no length
GET /end?status=404 (gzip): 404 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /redirect (gzip): 302 | its length
POST /end (gzip): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
-- what must stay as it is
GET /end?header[content-encoding]=br&header[etag]="a" (gzip): 200 | br | ETag: "a" | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[content-encoding]=identity (gzip): 200 | identity | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?status=206&header[content-range]=bytes+0-13999/20000 (gzip): 206 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[content-range]=bytes+0-13999/20000 (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[cache-control]=public,No-Transform (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[content-digest]=sha-256=:x: (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[content-type]=image/png (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[content-type]=text/event-stream (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /write?header[content-type]=text/event-stream (gzip): 200 | chunked | no length | 14012 18a4fe51a8ead93762c062768bacd045
GET /untyped (gzip): 200 | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /file?header[etag]="a" (gzip): 206 | ETag: "a" | ranges | its length | 10 40eced014baa99956175e719af07d919
-- what is said of it
GET /end?header[content-type]=Application/JSON;charset=utf-8 (gzip): 200 | gzip | Vary: Accept-Encoding | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[vary]=Origin&header[etag]="a"&header[accept-ranges]=bytes (gzip): 200 | gzip | Vary: Origin, Accept-Encoding | ETag: W/"a" | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[vary]=Origin&header[etag]="a"&header[accept-ranges]=bytes (): 200 | Vary: Origin, Accept-Encoding | ETag: "a" | ranges | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[vary]=origin,accept-encoding&header[etag]=W/"a" (gzip): 200 | gzip | Vary: origin,accept-encoding | ETag: W/"a" | its length | 14000 8627ab4d603fc16388a35864294428b9
GET /end?header[vary]=* (gzip): 200 | gzip | Vary: * | its length | 14000 8627ab4d603fc16388a35864294428b9
