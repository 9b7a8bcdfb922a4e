--TEST--
Web: what a callback prints is the response; superglobals, headers, exit, exceptions and shutdown functions are its request's
--FILE--
<?php
require __DIR__ . '/web.inc';

$server = web(<<<'PHP'
    switch ($_GET['case'] ?? '') {
        case 'plain': echo "request $count"; break;
        case 'empty': break;
        case 'line': header('HTTP/1.1 404 Nothing here'); echo 'line'; break;
        case 'location': header('Location: /elsewhere'); break;
        case 'headers': header('X-Two: 1'); header('X-Two: 2', false); setcookie('a', '1'); setcookie('b', '2'); header('Content-Type: text/plain'); echo count(headers_list()); break;
        case 'exit': echo 'first'; exit(' last');
        case 'buffer': ob_start(fn ($text) => strtoupper($text)); echo 'buffered'; ob_start(); echo ' twice'; break;
        case 'shutdown': register_shutdown_function(function () { echo ' in shutdown'; }); echo 'done'; break;
        case 'thrown late': register_shutdown_function(function () { throw new LogicException('late'); }); echo 'done'; break;
        case 'thrown': echo 'before '; throw new LogicException('thrown here');
        case 'handled': set_exception_handler(function ($error) { http_response_code(409); echo get_class($error); restore_exception_handler(); }); throw new LogicException();
        case 'finish': echo 'finished'; fastcgi_finish_request(); echo 'never seen'; break;
        case 'callback': header_register_callback(fn () => header('X-Callback: 1')); echo 'ok'; break;
        case 'super': echo json_encode([$_GET, $_POST, $_COOKIE, $_REQUEST, $_FILES ? array_map(fn ($f) => [$f['name'], $f['size'], is_uploaded_file($f['tmp_name'])], $_FILES) : [],
            $_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER['CONTENT_TYPE'], $_SERVER['PHP_AUTH_USER'] ?? null, file_get_contents('php://input'), PHP_SAPI === php_sapi_name(), getenv('REQUEST_METHOD'), filter_input(INPUT_GET, 'case')]); break;
        case 'large': for ($i = 0; $i < 200; $i++) echo str_repeat('x', 1000); break;
    }
    PHP, "'php_ini' => ['display_errors' => 0]");
foreach (['plain', 'empty', 'line', 'location', 'headers', 'exit', 'buffer', 'shutdown', 'thrown late', 'thrown', 'handled', 'finish', 'callback', 'plain'] as $case) {
    echo "--- $case\n";
    show($server->get('/?case=' . rawurlencode($case)));
}
echo "--- HEAD\n";
show($server->request('HEAD', '/?case=plain'));
echo "---\n", strlen($server->get('/?case=large')->body), "\n";
echo $server->get('/?case=super', ['Cookie' => 'c=1', 'Authorization' => 'Basic ' . base64_encode('joe:x')])->body, "\n";
echo $server->request('POST', '/?case=super', ['Content-Type' => 'application/x-www-form-urlencoded'], 'a=1&b[]=2')->body, "\n";
$multipart = "--B\r\nContent-Disposition: form-data; name=f; filename=f.txt\r\n\r\nfile\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n";
echo $server->request('POST', '/?case=super', ['Content-Type' => 'multipart/form-data; boundary=B'], $multipart)->body, "\n";
echo $server->request('PUT', '/?case=super', ['Content-Type' => 'text/x'], 'content')->body, "\n";
echo $server->get('/?case=super')->body, "\n";
echo logged($server, 'thrown here');
echo count(glob(sys_get_temp_dir() . "/ferrite-uploads-$server->pid-*")), ' ', $server->stop(), "\n";
?>
--EXPECTF--
--- plain
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 9
request 1
--- empty
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 0
--- line
404 Nothing here
Content-Type: text/html; charset=UTF-8
Content-Length: 4
line
--- location
302 Found
Location: /elsewhere
Content-Type: text/html; charset=UTF-8
Content-Length: 0
--- headers
200 OK
X-Two: 1
X-Two: 2
Set-Cookie: a=1
Set-Cookie: b=2
Content-Type: text/plain;charset=UTF-8
Content-Length: 1
5
--- exit
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 10
first last
--- buffer
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 14
BUFFERED TWICE
--- shutdown
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 16
done in shutdown
--- thrown late
500 Internal Server Error
Content-Type: text/html; charset=UTF-8
Content-Length: 4
done
--- thrown
500 Internal Server Error
Content-Type: text/html; charset=UTF-8
Content-Length: 7
before 
--- handled
409 Conflict
Content-Type: text/html; charset=UTF-8
Content-Length: 14
LogicException
--- finish
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 8
finished
--- callback
200 OK
Content-Type: text/html; charset=UTF-8
X-Callback: 1
Content-Length: 2
ok
--- plain
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 10
request 14
--- HEAD
200 OK
Content-Type: text/html; charset=UTF-8
---
200000
[{"case":"super"},[],{"c":"1"},{"case":"super","c":"1"},[],"GET","\/?case=super","","joe","",%s,"GET","super"]
[{"case":"super"},{"a":"1","b":["2"]},[],{"case":"super","a":"1","b":["2"]},[],"POST","\/?case=super","application\/x-www-form-urlencoded",null,"a=1&b[]=2",%s,"POST","super"]
[{"case":"super"},{"a":"1"},[],{"case":"super","a":"1"},{"f":["f.txt",4,true]},"POST","\/?case=super","multipart\/form-data; boundary=B",null,"",%s,"POST","super"]
[{"case":"super"},[],[],{"case":"super"},[],"PUT","\/?case=super","text\/x",null,"content",%s,"PUT","super"]
[{"case":"super"},[],[],{"case":"super"},[],"GET","\/?case=super","",null,"",%s,"GET","super"]
ERROR GET /: Uncaught LogicException: thrown here in %s; the client gets 500
0 0
