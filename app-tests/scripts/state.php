<?php

// Shows all that an earlier request could have left, then leaves as much as it can.

class Kept
{
    public static array $seen = [];
}

function kept(?string $name = null): array
{
    static $seen = [];
    if ($name !== null) {
        $seen[] = $name;
    }
    return $seen;
}

$found = [
    'session' => [session_status(), session_id(), $_SESSION ?? null],
    'cookies' => $_COOKIE,
    'input' => [$_GET, $_POST, $_FILES, file_get_contents('php://input')],
    'globals' => array_values(array_diff(array_keys($GLOBALS), ['_GET', '_POST', '_COOKIE', '_FILES', '_SERVER', 'found', '_REQUEST', '_ENV', 'argv', 'argc'])),
    'headers' => headers_list(),
    'status' => http_response_code(),
    'buffers' => ob_get_level(),
    'auth' => [$_SERVER['PHP_AUTH_USER'] ?? null, $_SERVER['HTTP_AUTHORIZATION'] ?? null, $_SERVER['HTTP_X_USER'] ?? null],
    'statics' => [Kept::$seen, kept()],
    'settings' => [ini_get('memory_limit'), date_default_timezone_get(), setlocale(LC_ALL, 0), mb_internal_encoding(), getcwd(), umask(), error_reporting(), set_time_limit(0)],
    'handlers' => [set_error_handler(null), set_exception_handler(null)],
    'loaders' => count(spl_autoload_functions()),
    'constants' => defined('LEFT'),
    'functions' => function_exists('left'),
    'wrappers' => in_array('left', stream_get_wrappers(), true),
    'environment' => getenv('LEFT'),
    'errors' => [error_get_last(), json_last_error_msg(), preg_last_error_msg()],
    'random' => null,
];
header('Content-Type: application/json');
echo json_encode($found), "\n";

$user = $_SERVER['HTTP_X_USER'] ?? $_GET['user'] ?? null;
if ($user !== null) {
    session_id("of$user");
    session_start();
    $_SESSION['secret'] = "secret of $user";
    $left = "global of $user";
    Kept::$seen[] = $user;
    kept($user);
    define('LEFT', $user);
    eval('function left() {}');
    putenv("LEFT=$user");
    ini_set('memory_limit', '77M');
    date_default_timezone_set('Asia/Tokyo');
    mb_internal_encoding('ISO-8859-1');
    error_reporting(0);
    umask(0);
    chdir('/');
    stream_wrapper_register('left', Kept::class);
    spl_autoload_register(fn () => null);
    set_error_handler(fn () => false);
    set_exception_handler(fn () => null);
    header("X-Of: $user");
    setcookie('of', $user);
    http_response_code(418);
    json_decode('{');
    echo $undefined;
    ob_start();
    ob_start();
    echo "output of $user";
    match ($_GET['end'] ?? '') {
        'exit' => exit('exit'),
        'fatal' => undefined_function(),
        'exception' => throw new Exception("exception of $user"),
        default => null,
    };
}
