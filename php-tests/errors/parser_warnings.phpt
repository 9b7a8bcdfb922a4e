--TEST--
The user's error handler does not run for what a client sends
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    set_error_handler(function ($number, $message) { throw new ErrorException($message); });
    $got = count($request->get ?? []) . ' ' . count($request->post ?? []) . ' ' . count($request->cookie ?? []);
    restore_error_handler();
    $response->end($got . ' ' . error_reporting());
    CODE, ini: ['max_input_vars' => 2]);
echo $server->request('POST', '/?a=1&b=2&c=3', ['Content-Type' => 'multipart/form-data', 'Cookie' => 'a=1; b=2; c=3'], 'x')->body, "\n";
echo logged($server, 'Input variables');
// One line for each request, however much there is to say.
echo $server->request('POST', '/', ['Content-Type' => 'multipart/form-data'], 'x')->body, "\n";
echo logged($server, 'boundary'), preg_match_all('~ POST /:~', $server->log()), "\n";
echo $server->out();
?>
--EXPECT--
2 0 2 -1
WARN POST /: Input variables exceeded 2. To increase the limit change max_input_vars in php.ini.
0 0 0 -1
WARN POST /: Missing boundary in multipart/form-data POST data
2
