--TEST--
script: $_SERVER and answers are those of nginx and php-fpm, key by key
--SKIPIF--
<?php
foreach (['/usr/sbin/nginx', '/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION] as $program) {
    is_executable($program) || die("skip needs $program");
}
?>
--FILE--
<?php
require __DIR__ . '/classic.inc';

$files = [
    'index.php' => <<<'PHP'
        <?php
        if (isset($_GET['redirect'])) { header('Location: /there'); exit; }
        if (isset($_GET['status'])) { header('HTTP/1.1 404 Nothing'); echo 'none'; exit; }
        if (isset($_GET['twice'])) { setcookie('a', '1'); setcookie('b', '2'); header('X-A: 1'); header('X-A: 2', false); exit('cookies'); }
        if (isset($_GET['late'])) { echo 'x'; header('X-Late: 1'); exit; }
        if (isset($_GET['fatal'])) { undefined_function(); }
        header('Content-Type: application/json');
        ksort($_SERVER);
        echo json_encode([$_SERVER, $_GET, $_POST, $_COOKIE, $_FILES ? array_map(fn ($f) => [$f['name'], $f['size'], $f['error']], $_FILES) : [], file_get_contents('php://input'), getallheaders(),
            array_map(getenv(...), ['REQUEST_METHOD', 'HTTP_X_TEST', 'SCRIPT_NAME', 'NONE']), getcwd(), get_included_files(), $argv ?? null]);
        PHP,
    'page.php' => '<?php require "index.php";',
    'blog/index.php' => '<?php require "../index.php";',
];
$settings = ['display_errors' => 0, 'register_argc_argv' => 0, 'html_errors' => 0, 'output_buffering' => 0, 'variables_order' => 'GPCS', 'log_errors' => 0];
$server = classic($files, "'php_ini' => " . var_export($settings, true));
$root = $server->place('root');

// nginx and php-fpm over the same files.
$place = $server->place('fpm');
mkdir($place);
chmod($server->place(''), 0755);
$free = stream_socket_server('tcp://127.0.0.1:0');
$port = explode(':', stream_socket_get_name($free, false))[1];
fclose($free);
$params = '';
foreach (['fastcgi_params'] as $file) {
    preg_match_all('~^fastcgi_param.*;~m', file_get_contents("/etc/nginx/$file"), $match);
    $params = implode("\n", $match[0]);
}
$user = posix_getuid() === 0 ? 'user root;' : '';
file_put_contents("$place/nginx.conf", <<<CONF
    $user
    daemon off; pid $place/nginx.pid; error_log $place/error.log; worker_processes 1;
    events { }
    http {
        access_log off; client_body_temp_path $place/body; fastcgi_temp_path $place/fastcgi; proxy_temp_path $place/proxy;
        uwsgi_temp_path $place/uwsgi; scgi_temp_path $place/scgi;
        server {
            listen 127.0.0.1:$port; server_name localhost; root $root; index index.php; absolute_redirect off;
            location / { try_files \$uri \$uri/ /index.php?\$args; }
            location ~ \\.php(/|\$) {
                fastcgi_split_path_info ^(.+?\\.php)(/.*)\$;
                set \$path_info \$fastcgi_path_info;
                fastcgi_pass unix:$place/fpm.sock;
                fastcgi_index index.php;
                $params
                fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
                fastcgi_param PATH_INFO \$path_info;
                fastcgi_param HTTP_HOST \$http_host;
            }
        }
    }
    CONF);
$admin = implode("\n", array_map(fn ($name, $value) => "php_admin_value[$name] = $value", array_keys($settings), $settings));
$who = posix_getuid() === 0 ? "user = root\ngroup = root" : '';
file_put_contents("$place/fpm.conf", "[global]\nerror_log = $place/fpm.log\ndaemonize = no\n[www]\n$who\nlisten = $place/fpm.sock\nlisten.mode = 0666\npm = static\npm.max_children = 1\n$admin\n");
$quiet = [0 => ['file', '/dev/null', 'r'], 1 => ['file', "$place/out", 'a'], 2 => ['file', "$place/out", 'a']];
$programs = [
    proc_open(['/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, '-n', '-R', '-y', "$place/fpm.conf"], $quiet, $pipes),
    proc_open(['/usr/sbin/nginx', '-c', "$place/nginx.conf", '-p', $place], $quiet, $pipes),
];
register_shutdown_function(function () use ($programs) {
    foreach ($programs as $program) {
        proc_terminate($program, SIGTERM);
        proc_close($program);
    }
});
wait_until(fn () => ($socket = @stream_socket_client("tcp://127.0.0.1:$port")) && file_exists("$place/fpm.sock"), 'nginx and php-fpm are up: ' . @file_get_contents("$place/out"));

// What must differ, and why: who answers, from where and when, and the environment of the process.
$differ = ['SERVER_SOFTWARE', 'REMOTE_PORT', 'SERVER_PORT', 'REQUEST_TIME', 'REQUEST_TIME_FLOAT', 'FCGI_ROLE', 'USER', 'HOME'];
// What run-tests.php puts there is not all of the process: these say a request's own in both.
$of_request = ['HTTPS', 'REDIRECT_STATUS', 'QUERY_STRING', 'SCRIPT_FILENAME', 'REQUEST_METHOD', 'CONTENT_TYPE', 'CONTENT_LENGTH'];
$environment = array_diff(array_keys(getenv()), $of_request);
$show = function (TestResponse $response) use ($differ, $environment): array {
    $shown = json_decode($response->body, true);
    if (isset($shown[0]['REQUEST_METHOD'])) {
        $shown[0] = array_diff_key($shown[0], array_flip($differ), array_flip($environment));
        ksort($shown[0]);
        // php-fpm has Content-Type and Content-Length of every request there, also where it came without.
        $shown[6] = array_filter($shown[6], fn ($value) => $value !== '');
        ksort($shown[6]);
    } else {
        $shown = $response->body;
    }
    $headers = array_diff_key($response->headers, array_flip(['date', 'server', 'connection', 'content-length', 'transfer-encoding', 'set-cookie']));
    ksort($headers);
    return ['status' => $response->status, 'reason' => $response->reason, 'headers' => $headers, 'cookies' => $response->headers['set-cookie'] ?? [], 'shown' => $shown];
};
$multipart = "--B\r\nContent-Disposition: form-data; name=f; filename=f.txt\r\nContent-Type: text/plain\r\n\r\nfile\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n";
$same = 0;
foreach ([
    ['GET', '/'],
    ['GET', '/?a=1&b[]=2'],
    ['GET', '/some/path?x=%20y'],
    ['GET', '/page.php'],
    ['GET', '/page.php/info/a%20b?q'],
    ['GET', '/blog/'],
    ['GET', '/blog/?'],
    ['GET', '/', ['Cookie' => 'a=1; b=2', 'X-Test' => 'yes', 'Accept-Language' => 'de', 'X_Under' => 'x', 'User-Agent' => 'test']],
    ['GET', '/', ['Authorization' => 'Basic ' . base64_encode('joe:secret')]],
    ['GET', '/', ['Authorization' => 'Bearer abc', 'Content-Type' => 'text/odd']],
    ['POST', '/?q=1', ['Content-Type' => 'application/x-www-form-urlencoded'], 'a=1&b[x]=2'],
    ['POST', '/page.php', ['Content-Type' => 'application/json'], '{"a":1}'],
    ['POST', '/', ['Content-Type' => 'multipart/form-data; boundary=B'], $multipart],
    ['PUT', '/page.php', ['Content-Type' => 'text/plain'], 'content'],
    ['DELETE', '/thing/5'],
    ['POST', '/'],
    ['GET', '/?redirect'],
    ['POST', '/?redirect', [], 'x'],
    ['GET', '/?status'],
    ['GET', '/?twice'],
    ['GET', '/?late'],
    ['GET', '/?fatal'],
    ['GET', '/', ['Host' => 'localhost:8080']],
] as $request) {
    [$method, $target] = $request;
    $fields = ($request[2] ?? []) + ['Host' => 'localhost'];
    $own = $show($server->request($method, $target, $fields, $request[3] ?? ''));
    $other = $show($server->request($method, $target, $fields, $request[3] ?? '', port: (int) $port));
    if ($own === $other) {
        $same++;
        continue;
    }
    echo "$method $target ", json_encode($request[2] ?? []), "\n";
    foreach ($own as $key => $value) {
        foreach ($key === 'shown' && is_array($value) && is_array($other[$key]) ? array_keys($value) : [null] as $part) {
            [$left, $right] = $part === null ? [$value, $other[$key]] : [$value[$part], $other[$key][$part]];
            if ($left !== $right) {
                if (is_array($left) && is_array($right)) {
                    $changed = fn ($a, $b) => array_filter($a, fn ($v, $k) => !array_key_exists($k, $b) || $b[$k] !== $v, ARRAY_FILTER_USE_BOTH);
                    [$left, $right] = [$changed($left, $right), $changed($right, $left)];
                }
                echo "  $key $part: ", json_encode($left), ' and php-fpm ', json_encode($right), "\n";
            }
        }
    }
}
echo "$same the same\n";
echo $server->stop(), "\n";
?>
--EXPECT--
23 the same
0
