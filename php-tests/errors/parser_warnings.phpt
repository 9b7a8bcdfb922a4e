--TEST--
The user's error handler does not run for what a client sends
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    set_error_handler(function ($number, $message) { throw new ErrorException($message); });
    $got = count($request->get) . ' ' . count($request->post ?? []);
    restore_error_handler();
    $response->end($got . ' ' . error_reporting());
    CODE, ini: ['max_input_vars' => 2]);
echo $server->request('POST', '/?a=1&b=2&c=3', ['Content-Type' => 'multipart/form-data'], 'x')->body, "\n";
echo logged($server, 'Input variables'), logged($server, 'boundary');
echo $server->out();
?>
--EXPECT--
2 0 -1
WARN POST /: Input variables exceeded 2. To increase the limit change max_input_vars in php.ini.
WARN POST /: Missing boundary in multipart/form-data POST data
