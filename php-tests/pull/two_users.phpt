--TEST--
Pull: two users whose requests alternate on one worker see nothing of each other's requests
--FILE--
<?php
require __DIR__ . '/pull.inc';

$server = pull(<<<'PHP'
    $handler = function () {
        $seen = [$_SESSION ?? null, headers_list(), http_response_code(), error_get_last(), ob_get_level(), connection_status(), session_status(), session_id(),
            $_SERVER['HTTP_X_SECRET'] ?? null, $_GET['secret'] ?? null, $_POST, $_FILES, isset($_SERVER['PHP_AUTH_USER']), $_REQUEST['secret'] ?? null, ini_get('precision'), umask(), basename(getcwd()), file_get_contents('php://input')];
        $user = $_GET['user'];
        if ($user === 'nobody') {
            echo json_encode([$seen, $_COOKIE]);
            return;
        }
        session_save_path(sys_get_temp_dir());
        session_start();
        $session = $_SESSION;
        $_SESSION['user'] = $user;
        header("X-User: $user"); setcookie('user', $user); http_response_code(202);
        ini_set('precision', 5); umask(0077); chdir('/'); set_error_handler(fn () => false);
        register_shutdown_function(fn () => print " [$user]"); ob_start(); @trigger_error("error of $user");
        echo json_encode([$seen, $session]);
        if ($user === 'bob') { exit; }
    };
    while (ferrite_handle_request($handler));
    PHP, "'reset_state' => true, 'php_ini' => ['precision' => 14]");
$cookies = $answers = [];
for ($i = 0; $i < 12; $i++) {
    $user = ['ann', 'nobody', 'bob', 'nobody'][$i % 4];
    if ($user === 'nobody') {
        [$seen, $cookie] = json_decode(($response = $server->get('/?user=nobody'))->body, true);
        echo $cookie === [] && $response->status === 200 && !isset($response->headers['set-cookie']) && !isset($response->headers['x-user']) ? '' : $response->head;
        $answers[json_encode($seen)] = true;
        continue;
    }
    $fields = ['X-Secret' => $user, 'Authorization' => 'Basic ' . base64_encode("$user:x"), 'Content-Type' => 'application/x-www-form-urlencoded'];
    if (isset($cookies[$user])) {
        $fields['Cookie'] = "PHPSESSID=$cookies[$user]";
    }
    $response = $server->request('POST', "/?user=$user&secret=$user", $fields, "secret=$user");
    [, $session] = json_decode(explode(' [', $response->body)[0], true);
    $ok = $response->status === 202 && $response->header('X-User') === $user && str_ends_with($response->body, " [$user]")
        && $session === (isset($cookies[$user]) ? ['user' => $user] : []) && str_contains(implode("\n", $response->headers['set-cookie']), "user=$user");
    echo $ok ? '' : "$user: $response->head$response->body\n";
    preg_match('~PHPSESSID=(\w+)~', $response->head, $match) && $cookies[$user] = $match[1];
}
echo preg_replace('~"ferrite-test[^"]*"~', '"PLACE"', implode("\n", array_keys($answers))), "\n";
foreach ($cookies as $id) {
    unlink(sys_get_temp_dir() . "/sess_$id");
}
echo count(array_unique($cookies)), ' ', $server->stop(), "\n";
?>
--EXPECT--
[null,[],200,null,0,0,1,"",null,null,[],[],false,null,"14",18,"PLACE",""]
2 0
