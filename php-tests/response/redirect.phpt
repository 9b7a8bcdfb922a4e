--TEST--
redirect(): location and status, and what is refused
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    try {
        $returned = $response->redirect(...json_decode($request->get['a']));
        echo json_encode([$returned, $response->end('x')]), "\n";
    } catch (ValueError $e) {
        $response->status(200);
        $response->end($e->getMessage());
    }
    CODE);
foreach (['["/a?b=c"]', '["https://example.org/", 308]', '["/a\r\nX: y"]', '["/", 200]', '["/", 404]'] as $arguments) {
    show($server->get('/?a=' . rawurlencode($arguments)));
}
echo $server->out();
?>
--EXPECT--
302 Found
Location: /a?b=c
Content-Length: 0
308 Permanent Redirect
Location: https://example.org/
Content-Length: 0
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 128
Ferrite\Http\Response::redirect(): Argument #1 ($location) must not contain CR, LF, NUL or another control character in Location
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 87
Ferrite\Http\Response::redirect(): Argument #2 ($http_code) must be a redirection (3xx)
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 87
Ferrite\Http\Response::redirect(): Argument #2 ($http_code) must be a redirection (3xx)
[true,false]
[true,false]
