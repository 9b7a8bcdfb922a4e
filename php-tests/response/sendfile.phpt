--TEST--
sendfile(): whole files and ranges, types, and what cannot be sent
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    chdir(place('.'));
    file_put_contents('ten.txt', '0123456789');
    file_put_contents('none.bin', '');
    is_file('large.json') || file_put_contents('large.json', str_repeat('0123456789abcdef', 200000));
    set_error_handler(function ($number, $message) use (&$warning) { $warning = str_replace(place(''), '', $message); return true; });
    if (isset($request->get['write'])) {
        $response->write('before,');
    }
    if (isset($request->get['type'])) {
        $response->header('Content-Type', $request->get['type']);
    }
    if (isset($request->get['length'])) {
        $response->header('Content-Length', $request->get['length']);
    }
    try {
        $sent = $response->sendfile(...json_decode($request->get['a']));
    } catch (ValueError | Ferrite\Exception $e) {
        $sent = $e->getMessage();
    }
    restore_error_handler();
    if ($sent !== true) {
        $response->header('Content-Length', null);
        $response->end(json_encode([$sent, $warning]));
    }
    CODE, ini: ['open_basedir' => sys_get_temp_dir()]);
foreach (['["ten.txt"]', '["ten.txt",3]', '["ten.txt",3,4]', '["ten.txt",10]', '["none.bin"]', '["ten.txt"]&type=a/b', '["ten.txt",5]&length=5',
    '["ten.txt"]&length=5', '["missing.txt"]', '["."]', '["ten.txt",11]', '["ten.txt",8,3]', '["ten.txt",-1]', '["ten.txt",0,-1]',
    '["/etc/passwd"]', '["ten.txt\u0000.png"]', '["ten.txt"]&write=1'] as $arguments) {
    echo "-- $arguments\n";
    $response = $server->get('/?a=' . strtr($arguments, ['\\' => '%5C', '"' => '%22']));
    $response->head = preg_replace('/^(etag|last-modified|accept-ranges):.*\r\n/mi', '', $response->head);
    show($response);
}
foreach (['["large.json"]', '["large.json",1000000,1500000]'] as $arguments) {
    $response = $server->get('/?a=' . rawurlencode($arguments));
    [, $offset, $length] = json_decode($arguments) + [1 => 0, 2 => null];
    var_dump($response->header('content-type'), $response->body === substr(str_repeat('0123456789abcdef', 200000), $offset, $length));
}
?>
--EXPECT--
-- ["ten.txt"]
200 OK
Content-Type: text/plain; charset=utf-8
Content-Length: 10
0123456789
-- ["ten.txt",3]
200 OK
Content-Type: text/plain; charset=utf-8
Content-Length: 7
3456789
-- ["ten.txt",3,4]
200 OK
Content-Type: text/plain; charset=utf-8
Content-Length: 4
3456
-- ["ten.txt",10]
200 OK
Content-Length: 0
-- ["none.bin"]
200 OK
Content-Type: application/octet-stream
Content-Length: 0
-- ["ten.txt"]&type=a/b
200 OK
Content-Type: a/b
Content-Length: 10
0123456789
-- ["ten.txt",5]&length=5
200 OK
Content-Type: text/plain; charset=utf-8
Content-Length: 5
56789
-- ["ten.txt"]&length=5
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 60
["Content-Length says 5, but the content has 10 bytes",null]
-- ["missing.txt"]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 100
[false,"Ferrite\\Http\\Response::sendfile(): missing.txt cannot be sent: No such file or directory"]
-- ["."]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 89
[false,"Ferrite\\Http\\Response::sendfile(): . cannot be sent: it is not a regular file"]
-- ["ten.txt",11]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 99
[false,"Ferrite\\Http\\Response::sendfile(): ten.txt cannot be sent: the offset is beyond its end"]
-- ["ten.txt",8,3]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 116
[false,"Ferrite\\Http\\Response::sendfile(): ten.txt cannot be sent: it has less than the length behind the offset"]
-- ["ten.txt",-1]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 102
["Ferrite\\Http\\Response::sendfile(): Argument #2 ($offset) must be greater than or equal to 0",null]
-- ["ten.txt",0,-1]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 102
["Ferrite\\Http\\Response::sendfile(): Argument #3 ($length) must be greater than or equal to 0",null]
-- ["/etc/passwd"]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 145
[false,"Ferrite\\Http\\Response::sendfile(): open_basedir restriction in effect. File(\/etc\/passwd) is not within the allowed path(s): (\/tmp)"]
-- ["ten.txt\u0000.png"]
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 101
["Ferrite\\Http\\Response::sendfile(): Argument #1 ($filename) must not contain any null bytes",null]
-- ["ten.txt"]&write=1
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
before,[false,null]
string(16) "application/json"
bool(true)
string(16) "application/json"
bool(true)
