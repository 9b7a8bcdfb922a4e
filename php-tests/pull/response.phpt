--TEST--
Pull: a script asks for requests; what its callback prints is the response; superglobals, headers, exit, exceptions and shutdown functions are its request's
--FILE--
<?php
require __DIR__ . '/pull.inc';

$server = pull(<<<'PHP'
    $count = $stage = 0;
    $boot = [isset($server), $_GET, $_SERVER['SCRIPT_FILENAME'] === __FILE__, basename($_SERVER['SCRIPT_NAME']), count(get_included_files()), basename(getcwd()) === basename(__DIR__), isset($_SERVER['FRANKENPHP_WORKER']), $_SERVER['argv'] ?? null];
    echo "printed before the first call\n";
    header('X-Boot: 1');
    ob_start();
    echo "in a buffer\n";
    register_shutdown_function(function () { echo "the script ends\n"; });
    $handler = function (...$arguments) use (&$count, &$stage, $boot) {
        $count++;
        switch ($_GET['case'] ?? '') {
            case 'plain': echo "request $count"; break;
            case 'boot': echo json_encode([$boot, $arguments, $stage, headers_list(), ob_get_level()]); break;
            case 'empty': break;
            case 'line': header('HTTP/1.1 404 Nothing here'); echo 'line'; break;
            case 'location': header('Location: /elsewhere'); break;
            case 'headers': header('X-Two: 1'); header('X-Two: 2', false); setcookie('a', '1'); setcookie('b', '2'); header('Content-Type: text/plain'); echo count(headers_list()); break;
            case 'exit': echo 'first'; exit(' last');
            case 'buffer': ob_start(fn ($text) => strtoupper($text)); echo 'buffered'; ob_start(); echo ' twice'; break;
            case 'shutdown': register_shutdown_function(function () { echo ' in shutdown'; }); echo 'done'; break;
            case 'thrown': echo 'before '; throw new LogicException('thrown here');
            case 'handled': set_exception_handler(function ($error) { http_response_code(409); echo get_class($error); restore_exception_handler(); }); throw new LogicException();
            case 'finish': echo 'finished'; fastcgi_finish_request(); echo 'never seen'; break;
            case 'callback': header_register_callback(fn () => header('X-Callback: 1')); echo 'ok'; break;
            case 'nested': try { ferrite_handle_request(fn () => 1); } catch (Ferrite\Exception $error) { echo $error->getMessage(); } break;
            case 'super': echo json_encode([$_GET, $_POST, $_COOKIE, $_REQUEST, $_FILES ? array_map(fn ($f) => [$f['name'], $f['size'], is_uploaded_file($f['tmp_name'])], $_FILES) : [],
                $_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER['CONTENT_TYPE'], $_SERVER['PHP_AUTH_USER'] ?? null, file_get_contents('php://input'), PHP_SAPI, php_sapi_name(), getenv('REQUEST_METHOD'), filter_input(INPUT_GET, 'case')]); break;
            case 'large': for ($i = 0; $i < 200; $i++) echo str_repeat('x', 1000); break;
        }
    };
    try {
        ferrite_handle_request('no_function');
    } catch (TypeError $error) {
        echo $error->getMessage(), "\n";
    }
    while (ferrite_handle_request($handler)) {
        $stage++;
        header("X-Between: $stage");
        if ($stage === 1) {
            echo "printed between two requests\n";
            ob_start();
            echo "and in a buffer\n";
            session_start();
        }
    }
    var_dump(ferrite_handle_request($handler));
    echo "cleaned up after $stage requests\n";
    PHP, "'php_ini' => ['display_errors' => 0, 'session.save_path' => sys_get_temp_dir()]");
foreach (['boot', 'plain', 'empty', 'line', 'location', 'headers', 'exit', 'buffer', 'shutdown', 'thrown', 'handled', 'finish', 'callback', 'nested', 'plain'] as $case) {
    echo "--- $case\n";
    show($server->get("/?case=$case"));
}
echo "--- HEAD\n";
show($server->request('HEAD', '/?case=plain'));
echo "---\n", strlen($server->get('/?case=large')->body), "\n";
echo $server->get('/any/path?case=super', ['Cookie' => 'c=1', 'Authorization' => 'Basic ' . base64_encode('joe:x')])->body, "\n";
echo $server->request('POST', '/?case=super', ['Content-Type' => 'application/x-www-form-urlencoded'], 'a=1&b[]=2')->body, "\n";
$multipart = "--B\r\nContent-Disposition: form-data; name=f; filename=f.txt\r\n\r\nfile\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n";
echo $server->request('POST', '/?case=super', ['Content-Type' => 'multipart/form-data; boundary=B'], $multipart)->body, "\n";
echo $server->request('PUT', '/?case=super', ['Content-Type' => 'text/x'], 'content')->body, "\n";
echo $server->get('/?case=super')->body, "\n";
echo logged($server, 'thrown here');
echo count(glob(sys_get_temp_dir() . "/ferrite-uploads-$server->pid-*")), ' ', $server->stop(), "\n";
echo $server->out();
try {
    ferrite_handle_request(fn () => 1);
} catch (Ferrite\Exception $error) {
    echo $error->getMessage(), "\n";
}
var_dump(function_exists('frankenphp_handle_request'));
?>
--EXPECTF--
--- boot
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 58
[[false,[],true,"worker.php",1,true,false,null],[],0,[],0]
--- plain
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 9
request 2
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
--- nested
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 111
ferrite_handle_request() waits for one request after another: let the callback return before it is called again
--- plain
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 10
request 15
--- HEAD
200 OK
Content-Type: text/html; charset=UTF-8
---
200000
[{"case":"super"},[],{"c":"1"},{"case":"super","c":"1"},[],"GET","\/any\/path?case=super","","joe","","ferrite","ferrite","GET","super"]
[{"case":"super"},{"a":"1","b":["2"]},[],{"case":"super","a":"1","b":["2"]},[],"POST","\/?case=super","application\/x-www-form-urlencoded",null,"a=1&b[]=2","ferrite","ferrite","POST","super"]
[{"case":"super"},{"a":"1"},[],{"case":"super","a":"1"},{"f":["f.txt",4,true]},"POST","\/?case=super","multipart\/form-data; boundary=B",null,"","ferrite","ferrite","POST","super"]
[{"case":"super"},[],[],{"case":"super"},[],"PUT","\/?case=super","text\/x",null,"content","ferrite","ferrite","PUT","super"]
[{"case":"super"},[],[],{"case":"super"},[],"GET","\/?case=super","",null,"","ferrite","ferrite","GET","super"]
ERROR GET /: Uncaught LogicException: thrown here in %s in %s the client gets 500
0 0
printed before the first call
in a buffer
ferrite_handle_request(): Argument #1 ($callback) must be a valid callback, function "no_function" not found or invalid function name
printed between two requests
and in a buffer
bool(false)
cleaned up after 22 requests
the script ends
ferrite_handle_request() is for a script that the option worker_script names, while that runs: see docs/applications.md
bool(false)
