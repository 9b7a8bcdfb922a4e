--TEST--
X-Sendfile and X-Accel-Redirect: the file that a response names is sent in its place
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    mkdir(place('files'));
    file_put_contents(place('files/ten.txt'), '0123456789');
    file_put_contents(place('secret'), 'secret');
    touch(place('files/ten.txt'), 1000000000);
    try {
        $server->set(['x_accel_locations' => ['/a' => 5]]);
    } catch (ValueError $e) {
        echo $e->getMessage(), "\n";
    }
    $server->set(['worker_num' => 1, 'x_sendfile_roots' => [place('files')], 'x_accel_locations' => ['/internal/' => place('files')]]);
    $server->on('Request', function ($request, $response) {
        foreach ($request->get as $name => $value) {
            $response->header($name, $name === 'X-Sendfile' ? place($value) : $value);
        }
        $response->end();
    });
    CODE);
foreach (['/?X-Sendfile=files/ten.txt', '/?X-Accel-Redirect=/internal/ten.txt&Content-Type=a/b', '/?X-Sendfile=secret',
    '/?X-Accel-Redirect=/internal/../secret', '/?X-Other=1'] as $path) {
    foreach (['bytes=8-', null] as $range) {
        echo "-- $path $range\n";
        $response = $server->get($path, $range === null ? [] : ['Range' => $range]);
        $response->head = preg_replace('/^(etag):.*\r\n/mi', '', $response->head);
        show($response);
    }
}
echo logged($server, '/internal/../secret');
$server->stop();
echo $server->out();
?>
--EXPECT--
-- /?X-Sendfile=files/ten.txt bytes=8-
206 Partial Content
Content-Type: text/plain; charset=utf-8
Content-Range: bytes 8-9/10
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Content-Length: 2
89
-- /?X-Sendfile=files/ten.txt 
200 OK
Content-Type: text/plain; charset=utf-8
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Content-Length: 10
0123456789
-- /?X-Accel-Redirect=/internal/ten.txt&Content-Type=a/b bytes=8-
206 Partial Content
Content-Type: a/b
Content-Range: bytes 8-9/10
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Content-Length: 2
89
-- /?X-Accel-Redirect=/internal/ten.txt&Content-Type=a/b 
200 OK
Content-Type: a/b
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Accept-Ranges: bytes
Content-Length: 10
0123456789
-- /?X-Sendfile=secret bytes=8-
404 Not Found
Content-Type: text/plain; charset=utf-8
Content-Length: 14
404 Not Found
-- /?X-Sendfile=secret 
404 Not Found
Content-Type: text/plain; charset=utf-8
Content-Length: 14
404 Not Found
-- /?X-Accel-Redirect=/internal/../secret bytes=8-
404 Not Found
Content-Type: text/plain; charset=utf-8
Content-Length: 14
404 Not Found
-- /?X-Accel-Redirect=/internal/../secret 
404 Not Found
Content-Type: text/plain; charset=utf-8
Content-Length: 14
404 Not Found
-- /?X-Other=1 bytes=8-
200 OK
X-Other: 1
Content-Length: 0
-- /?X-Other=1 
200 OK
X-Other: 1
Content-Length: 0
ERROR the client gets 404: x-accel-redirect of a handler names /internal/../secret, but it is below none of the directories that the options name
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'x_accel_locations' must be an array of string => string without control characters, an array of 1 given
