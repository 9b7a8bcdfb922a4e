--TEST--
script: status, headers, cookies, HEAD, exit, output buffers and content of a response that a script prints
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    switch ($_GET['case'] ?? '') {
        case 'plain': echo 'hello'; break;
        case 'empty': break;
        case 'line': header('HTTP/1.1 404 Nothing here'); echo 'line'; break;
        case 'line, then a code': header('HTTP/1.1 404 Nothing here'); http_response_code(503); echo 'a code'; break;
        case 'no type': header('Content-Type:'); echo 'no type'; break;
        case 'code': http_response_code(418); echo http_response_code(); break;
        case 'status': header('Status: 503 Busy'); echo 'status'; break;
        case 'location': header('Location: /elsewhere'); break;
        case 'created': http_response_code(201); header('Location: /new'); break;
        case 'headers':
            header('X-One: 1'); header('X-Two: 1'); header('X-Two: 2', false); header('X-Gone: 1');
            header_remove('X-Gone'); header_remove('X-Powered-By'); header('Content-Type: text/plain');
            setcookie('a', '1'); setcookie('b', '2');
            echo json_encode(headers_list()), "\n", json_encode(apache_response_headers());
            break;
        case 'none': http_response_code(204); break;
        case 'exit': echo 'first'; exit(' last');
        case 'buffer': ob_start(fn ($text) => strtoupper($text)); echo 'buffered'; ob_start(); echo ' twice'; break;
        case 'shutdown': register_shutdown_function(function () { echo ' in shutdown'; }); echo 'done'; break;
        case 'destructor': $GLOBALS['kept'] = new class { function __destruct() { echo ' destructed'; } }; echo 'done'; break;
        case 'late': echo 'x'; flush(); header('X-Late: 1'); break;
        case 'length': header('Content-Length: 3'); echo 'abcdef'; break;
        case 'bad': header("X-Bad: a\x01b"); header('No colon'); echo 'ok'; break;
        case 'callback': header_register_callback(fn () => header('X-Callback: 1')); echo 'ok'; break;
    }
    PHP]);
foreach (['plain', 'empty', 'line', 'line, then a code', 'no type', 'code', 'status', 'location', 'created', 'headers', 'none', 'exit', 'buffer', 'shutdown',
    'destructor', 'late', 'length', 'bad', 'callback'] as $case) {
    echo "--- $case\n";
    show($server->get('/?case=' . rawurlencode($case)));
}
echo "--- HEAD\n";
show($server->request('HEAD', '/?case=plain'));
echo $server->stop(), "\n";
?>
--EXPECTF--
--- plain
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 5
hello
--- empty
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 0
--- line
404 Nothing here
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 4
line
--- line, then a code
503 Service Unavailable
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 6
a code
--- no type
200 OK
X-Powered-By: PHP/%s
Content-Length: 7
no type
--- code
418 I'm a teapot
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 3
418
--- status
503 Busy
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 6
status
--- location
302 Found
X-Powered-By: PHP/%s
Location: /elsewhere
Content-Type: text/html; charset=UTF-8
Content-Length: 0
--- created
201 Created
X-Powered-By: PHP/%s
Location: /new
Content-Type: text/html; charset=UTF-8
Content-Length: 0
--- headers
200 OK
X-One: 1
X-Two: 1
X-Two: 2
Content-Type: text/plain;charset=UTF-8
Set-Cookie: a=1
Set-Cookie: b=2
Content-Length: %d
["X-One: 1","X-Two: 1","X-Two: 2","Content-type: text\/plain;charset=UTF-8","Set-Cookie: a=1","Set-Cookie: b=2"]
{"X-One":"1","X-Two":"2","Content-type":"text\/plain;charset=UTF-8","Set-Cookie":"b=2"}
--- none
204 No Content
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
--- exit
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 10
first last
--- buffer
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 14
BUFFERED TWICE
--- shutdown
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 16
done in shutdown
--- destructor
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 15
done destructed
--- late
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
x<br />
%ACannot modify header information%a
--- length
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 6
abcdef
--- bad
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
Content-Length: 2
ok
--- callback
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
X-Callback: 1
Content-Length: 2
ok
--- HEAD
200 OK
X-Powered-By: PHP/%s
Content-Type: text/html; charset=UTF-8
0
