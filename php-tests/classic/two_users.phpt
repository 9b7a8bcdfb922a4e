--TEST--
script: two users whose requests alternate on one worker see nothing of each other
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    class Kept { public static $of = 'nobody'; }
    function count_up() { static $count = 0; return ++$count; }
    $seen = [Kept::$of, count_up(), $GLOBALS['user'] ?? null, $_SESSION ?? null, ini_get('precision'), headers_list() === [] || count(headers_list()) === 1,
        http_response_code(), error_get_last(), ob_get_level(), get_include_path() === '.:/usr/share/php', getenv('USER_IS'), umask(), date_default_timezone_get(),
        basename(getcwd()), class_exists('OnlyOne', false), mb_or_locale(), defined('USER_CONSTANT'), spl_autoload_functions(), libxml_or_stream()];
    function mb_or_locale() { return setlocale(LC_TIME, 0); }
    function libxml_or_stream() { return in_array('own', stream_get_wrappers(), true); }
    session_save_path(__DIR__); session_start();
    $session = $_SESSION;
    $_SESSION['user'] = $_GET['user'];
    session_write_close();
    Kept::$of = $user = $_GET['user'];
    ini_set('precision', 5); putenv("USER_IS=$user"); umask(0077); date_default_timezone_set('Asia/Tokyo'); chdir('/'); define('USER_CONSTANT', 1);
    set_error_handler(fn () => true); set_exception_handler(fn () => exit('handled')); spl_autoload_register(fn () => null); setlocale(LC_TIME, 'C.UTF-8');
    class_alias('Kept', 'OnlyOne'); stream_wrapper_register('own', 'Kept'); set_include_path('/tmp'); ini_set('memory_limit', '20M'); set_time_limit(7);
    session_set_save_handler(new class extends SessionHandler {}, true);
    header('X-Secret: ' . $user); setcookie('secret', $user); http_response_code(202);
    register_shutdown_function(fn () => print " [$user]"); ob_start(); ob_start(fn ($text) => $text);
    @trigger_error("error of $user");
    echo json_encode([$seen, $session, $_COOKIE['PHPSESSID'] ?? null]);
    PHP], '', ['include_path' => '.:/usr/share/php']);
$cookies = [];
$answers = [];
for ($i = 0; $i < 12; $i++) {
    $user = ['ann', 'bob', 'nobody else'][$i % 3];
    $response = $server->get('/?user=' . urlencode($user), isset($cookies[$user]) ? ['Cookie' => "PHPSESSID=$cookies[$user]"] : []);
    [$seen, $session, $id] = json_decode(explode(' [', $response->body)[0], true);
    $answers[json_encode($seen)] = true;
    $ok = $response->status === 202 && $response->header('X-Secret') === $user && str_ends_with($response->body, " [$user]")
        && $session === (isset($cookies[$user]) ? ['user' => $user] : []) && $id === ($cookies[$user] ?? null)
        && str_contains(implode("\n", $response->headers['set-cookie']), 'secret=' . rawurlencode($user));
    echo $ok ? '' : "$user: $response->head$response->body\n";
    if ($user !== 'nobody else') {
        preg_match('~PHPSESSID=(\w+)~', $response->head, $match) && $cookies[$user] = $match[1];
    }
}
echo implode("\n", array_keys($answers)), "\n";
echo count(array_unique($cookies)), ' ', $server->stop(), "\n";
?>
--EXPECT--
["nobody",1,null,null,"14",true,200,null,0,true,false,18,"UTC","root",false,"C",false,[],false]
2 0
