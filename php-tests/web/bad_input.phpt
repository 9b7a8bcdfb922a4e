--TEST--
Web, Pull: an error handler that throws does not get what PHP has to say of a client's input
--FILE--
<?php
require __DIR__ . '/web.inc';
require __DIR__ . '/../pull/pull.inc';

$handler = 'set_error_handler(function (int $type, string $message) { throw new ErrorException($message); });';
$callback = 'try { echo $undefined; } catch (ErrorException $error) { echo count($_POST), " ", $error->getMessage(), " [", preg_replace("~^\\S+\\(\\): ~", "", error_get_last()["message"] ?? ""), "]"; }';
$set = "'php_ini' => ['post_max_size' => '100K', 'max_input_vars' => 10, 'display_errors' => 0]";
foreach ([
    'web' => web($callback, $set, $handler),
    'pull' => pull("$handler while (ferrite_handle_request(function () { $callback }));", $set),
] as $name => $server) {
    $form = ['Content-Type' => 'application/x-www-form-urlencoded'];
    foreach ([
        'a form' => [$form, 'a=1&b=2'],
        'more fields than there can be' => [$form, implode('&', array_map(fn ($n) => "f$n=1", range(1, 20)))],
        'too large' => [$form, 'a=' . str_repeat('x', 200_000)],
        'no boundary' => [['Content-Type' => 'multipart/form-data'], 'x'],
        'a form again' => [$form, 'a=1'],
    ] as $what => [$headers, $body]) {
        $response = $server->request('POST', '/', $headers, $body);
        echo "$name, $what: $response->status $response->body\n";
    }
    echo $server->stop(), "\n";
}
?>
--EXPECT--
web, a form: 200 2 Undefined variable $undefined []
web, more fields than there can be: 200 11 Undefined variable $undefined [Input variables exceeded 10. To increase the limit change max_input_vars in php.ini.]
web, too large: 200 0 Undefined variable $undefined [POST Content-Length of 200002 bytes exceeds the limit of 102400 bytes]
web, no boundary: 200 0 Undefined variable $undefined [Missing boundary in multipart/form-data POST data]
web, a form again: 200 1 Undefined variable $undefined []
0
pull, a form: 200 2 Undefined variable $undefined []
pull, more fields than there can be: 200 11 Undefined variable $undefined [Input variables exceeded 10. To increase the limit change max_input_vars in php.ini.]
pull, too large: 200 0 Undefined variable $undefined [POST Content-Length of 200002 bytes exceeds the limit of 102400 bytes]
pull, no boundary: 200 0 Undefined variable $undefined [Missing boundary in multipart/form-data POST data]
pull, a form again: 200 1 Undefined variable $undefined []
0
