<?php

// $_SERVER and its kin. What belongs to one server or connection is left out.

$own = ['SERVER_SOFTWARE', 'REMOTE_PORT', 'SERVER_PORT', 'REQUEST_TIME', 'REQUEST_TIME_FLOAT', 'FCGI_ROLE', 'USER', 'HOME', 'PATH', 'SSL_PROTOCOL', 'SSL_CIPHER', 'SSL_SERVER_NAME'];
$server = array_diff_key($_SERVER, array_flip($own));
ksort($server);
$headers = array_filter(getallheaders(), fn (string $value) => $value !== '');
ksort($headers);
header('Content-Type: application/json');
echo json_encode([
    'server' => $server, 'get' => $_GET, 'post' => $_POST, 'cookie' => $_COOKIE, 'request' => $_REQUEST,
    'input' => file_get_contents('php://input'), 'cwd' => getcwd(), 'files' => get_included_files(),
    'getenv' => array_map(getenv(...), ['REQUEST_METHOD', 'HTTP_X_TEST', 'SCRIPT_NAME', 'NONE']),
    'filter' => filter_input(INPUT_SERVER, 'REQUEST_METHOD'),
    'argv' => [$argv ?? null, $argc ?? null, defined('STDIN'), defined('STDOUT')],
    'headers' => $headers,
    'upload' => $_FILES,
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES), "\n";
