--TEST--
Two users with interleaved requests on one worker: neither sees anything of the other, however requests end
--FILE--
<?php
require __DIR__ . '/../show.inc';

$directory = sys_get_temp_dir() . '/ferrite-sessions-' . getmypid();
mkdir($directory);
mkdir("$directory/up");
$server = TestServer::start(<<<CODE
    \$server->set(['worker_num' => 1, 'upload_tmp_dir' => '$directory/up']);
    CODE . <<<'CODE'
    $server->on('Request', function ($request, $response) {
        $me = $request->header['x-user'];
        $how = $request->get['how'];
        $sessions = function_exists('session_start');
        $found = [
            'session' => $sessions ? [session_status() === PHP_SESSION_ACTIVE, session_id(), $_SESSION ?? null] : [false, '', null],
            'status' => http_response_code(),
            'headers' => [headers_list(), $response->header, $response->cookie, $response->trailer, $response->getStatusCode()],
            'output' => [ob_get_level(), ob_get_contents(), headers_sent()],
            'alarm' => function_exists('pcntl_alarm') ? pcntl_alarm(0) : 0,
            'limit' => ini_get('max_execution_time'),
            'error' => error_get_last(),
            'cookies' => [$_COOKIE, $request->cookie],
            'files' => count(glob($request->get['up'] . '/*')),
        ];
        if ($sessions) {
            session_id("user$me");
            session_start();
            $found['own'] = $_SESSION['me'] ?? $me;
            $_SESSION['me'] = $me;
        } else {
            $found['own'] = $me;
        }
        http_response_code(410);
        header("X-User: $me");
        header('HTTP/1.1 418 No');
        header_register_callback(fn () => file_put_contents(place('foreign'), "callback of $me\n", FILE_APPEND));
        setcookie('user', $me);
        ob_start(fn ($text) => '');
        ob_start(null, 0, 0);
        echo "output of $me";
        if (function_exists('pcntl_alarm')) pcntl_alarm(30);
        set_time_limit(30);
        @trigger_error("error of $me");
        // Only the request's own shutdown functions run at its end.
        $GLOBALS['current'] = $id = $request->server['request_time_float'] . $me . mt_rand();
        register_shutdown_function(function () use ($me, $id) {
            if ($GLOBALS['current'] !== $id) file_put_contents(place('foreign'), "shutdown function of $me\n", FILE_APPEND);
            file_put_contents(place('shutdown'), 'x', FILE_APPEND);
        });
        $found['uploads'] = count($request->files ?? []);
        $response->header('X-Me', $me);
        $response->cookie('me', $me);
        $response->status(201);
        $response->end(serialize($found));
        switch ($how) {
            case 'exit': exit;
            case 'throw': throw new RuntimeException("thrown by $me");
            case 'fatal': trigger_error("fatal of $me", E_USER_ERROR);
        }
    });
    CODE, ['session.save_path' => $directory, 'session.use_strict_mode' => 0, 'display_errors' => 0, 'log_errors' => 0]);

$connections = ['1' => $server->connect(), '2' => $server->connect()];
$form = "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\ncontent\r\n--XX--\r\n";
$wrong = 0;
$ways = ['return', 'exit', 'throw', 'fatal', 'return', 'throw', 'exit', 'exit', 'fatal', 'fatal', 'return', 'return'];
foreach ([...$ways, ...$ways] as $turn => $how) {
    foreach ($connections as $user => $connection) {
        $headers = ['X-User' => $user, 'Cookie' => "c=$user", 'Content-Type' => 'multipart/form-data; boundary=XX'];
        $connection->request('POST', "/?how=$how&up=$directory/up", $headers, $form);
    }
    foreach ($connections as $user => $connection) {
        $response = $connection->response();
        $found = @unserialize($response->body);
        $clean = [
            'session' => [false, '', null], 'status' => false, 'headers' => [[], null, null, null, 200], 'output' => [0, false, false],
            'alarm' => 0, 'limit' => '0', 'error' => null, 'cookies' => [[], ['c' => (string) $user]], 'files' => 0, 'own' => (string) $user, 'uploads' => 1,
        ];
        $head = [$response->status, $response->header('x-me'), $response->header('x-user'), strtok((string) $response->header('set-cookie'), ';')];
        if ($found !== $clean || $head !== [201, (string) $user, null, "me=$user"]) {
            $wrong++;
            echo "turn $turn, $how, user $user: ", json_encode([$head, $found ?: $response->body]), "\n";
        }
    }
}
echo "$wrong wrong\n";
wait_until(fn () => strlen((string) @file_get_contents($server->place('shutdown'))) === 48, 'all shutdown functions have run');
var_dump(file_exists($server->place('foreign')));
$server->stop();
$server->waitForAll();
var_dump(glob("$directory/up/*"));
array_map('unlink', glob("$directory/sess_*"));
rmdir("$directory/up");
rmdir($directory);
?>
--EXPECT--
0 wrong
bool(false)
array(0) {
}
