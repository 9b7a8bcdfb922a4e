--TEST--
script: getallheaders(), Basic and Digest credentials, getenv(), filter_input(), headers_send(103), and what the command line has not
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    switch ($_GET['case']) {
        case 'headers': echo json_encode([getallheaders(), apache_request_headers() === getallheaders()]); break;
        case 'auth':
            echo json_encode(array_intersect_key($_SERVER, array_flip(['PHP_AUTH_USER', 'PHP_AUTH_PW', 'PHP_AUTH_DIGEST', 'REMOTE_USER', 'HTTP_AUTHORIZATION'])));
            break;
        case 'env':
            putenv('OWN=1');
            echo json_encode([getenv('REQUEST_METHOD'), getenv('HTTP_X_TEST'), getenv('OWN'), getenv('HTTP_PROXY'), getenv('PATH') === $_SERVER['PATH'],
                $_SERVER['HTTP_PROXY'] ?? null, $_SERVER['HTTP_X_UNDER_SCORE'] ?? null]);
            break;
        case 'filter': echo json_encode([filter_input(INPUT_GET, 'n', FILTER_VALIDATE_INT), filter_input(INPUT_SERVER, 'REQUEST_METHOD'), filter_input(INPUT_COOKIE, 'a')]); break;
        case 'sapi':
            echo json_encode([PHP_SAPI, php_sapi_name(), defined('STDIN'), isset($argv), isset($_SERVER['argv']), ini_get('html_errors'),
                ini_get('max_execution_time'), ini_get('implicit_flush'), ini_get('memory_limit'), basename(getcwd()), get_included_files() === [__FILE__]]);
            break;
        case 'interim':
            header('Link: </style.css>; rel=preload');
            $sent = headers_send(103);
            header_remove('Link');
            echo json_encode([$sent, headers_send(101), (new ReflectionFunction('headers_send'))->__toString() !== '']);
            break;
        case 'arguments':
            try { getallheaders(1); } catch (Error $error) { echo get_class($error), ' '; }
            try { headers_send('x'); } catch (Error $error) { echo get_class($error), ' '; }
            break;
        case 'time': echo json_encode([abs($_SERVER['REQUEST_TIME_FLOAT'] - microtime(true)) < 5, $_SERVER['REQUEST_TIME'] === (int) $_SERVER['REQUEST_TIME_FLOAT']]); break;
    }
    PHP], "'php_ini' => ['memory_limit' => '100M']");
echo $server->get('/?case=headers', ['X-Test' => ['a', 'b'], 'Content-Type' => 'text/x'])->body, "\n";
echo $server->get('/?case=auth', ['Authorization' => 'Basic ' . base64_encode('joe:se:cret')])->body, "\n";
echo $server->get('/?case=auth', ['Authorization' => 'Digest username="joe", realm="x"'])->body, "\n";
echo $server->get('/?case=auth')->body, "\n";
echo $server->get('/?case=env', ['X-Test' => 'yes', 'Proxy' => 'http://evil.example/', 'X_Under_Score' => '1'])->body, "\n";
echo $server->get('/?case=filter&n=12', ['Cookie' => 'a=b'])->body, "\n";
echo $server->get('/?case=sapi&argument')->body, "\n";
$connection = $server->connect();
$connection->request('GET', '/?case=interim');
$interim = $connection->response();
echo $interim->status, ' ', $interim->header('Link'), ' ', var_export($interim->header('X-Powered-By'), true), "\n";
$final = $connection->response();
echo $final->status, ' ', var_export($final->header('Link'), true), " $final->body\n";
echo $server->get('/?case=arguments')->body, "\n";
echo $server->get('/?case=time')->body, "\n";
echo $server->stop(), "\n";
// In the command line they are not there.
var_dump(function_exists('fastcgi_finish_request'), function_exists('getallheaders'), function_exists('headers_send'));
?>
--EXPECT--
[{"Host":"localhost","X-Test":"a, b","Content-Type":"text\/x","Connection":"close"},true]
{"REMOTE_USER":"joe","HTTP_AUTHORIZATION":"Basic am9lOnNlOmNyZXQ=","PHP_AUTH_USER":"joe","PHP_AUTH_PW":"se:cret"}
{"REMOTE_USER":"","HTTP_AUTHORIZATION":"Digest username=\"joe\", realm=\"x\"","PHP_AUTH_DIGEST":"username=\"joe\", realm=\"x\""}
{"REMOTE_USER":""}
["GET","yes","1",false,true,null,null]
[12,"GET","b"]
["ferrite","ferrite",false,false,false,"1","30","0","100M","root",true]
103 </style.css>; rel=preload NULL
200 NULL [103,0,true]
ArgumentCountError TypeError 
[true,true]
0
bool(false)
bool(false)
bool(false)
