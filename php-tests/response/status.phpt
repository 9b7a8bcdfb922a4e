--TEST--
status(): codes, reasons, and what is refused
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->get === null) {
        $response->end((string) $response->getStatusCode());
        return;
    }
    $arguments = json_decode($request->get['a'], true);
    $method = $request->get['method'] ?? 'status';
    try {
        $returned = $response->$method(...$arguments);
        $response->end(json_encode([$returned, $response->getStatusCode()]));
    } catch (ValueError | TypeError $e) {
        $response->end(get_class($e) . ': ' . $e->getMessage());
    }
    CODE);

show($server->get('/'));
foreach (['[201]', '[404,"Nothing here"]', '["503"]', '[599]', '[500,""]', '[299,"\u00e4"]'] as $arguments) {
    show($server->get('/?a=' . rawurlencode($arguments)));
}
show($server->get('/?method=setStatusCode&a=[418]'));
echo "-- refused\n";
foreach (['[100]', '[101]', '[103]', '[99]', '[0]', '[-1]', '[600]', '[999]', '[1e9]', '[200,"a\r\nX: y"]', '[200,"a\u0000"]',
    '["abc"]', '[]', '[200,"a","b"]', '[null]', '[[]]'] as $arguments) {
    echo $arguments, ' ', $server->get('/?a=' . rawurlencode($arguments))->body, "\n";
}
?>
--EXPECT--
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 3
200
201 Created
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,201]
404 Nothing here
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,404]
503 Service Unavailable
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,503]
599 
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,599]
500 Internal Server Error
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,500]
299 \303\244
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,299]
418 I'm a teapot
Content-Type: text/html; charset=UTF-8
Content-Length: 10
[true,418]
-- refused
[100] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must not be an interim status (1xx): a response needs a final one, from 200 to 599
[101] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must not be an interim status (1xx): a response needs a final one, from 200 to 599
[103] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must not be an interim status (1xx): a response needs a final one, from 200 to 599
[99] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[0] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[-1] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[600] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[999] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[1e9] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[200,"a\r\nX: y"] ValueError: Ferrite\Http\Response::status(): Argument #2 ($reason) must not contain CR, LF, NUL or another control character
[200,"a\u0000"] ValueError: Ferrite\Http\Response::status(): Argument #2 ($reason) must not contain CR, LF, NUL or another control character
["abc"] TypeError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be of type int, string given
[] ArgumentCountError: Ferrite\Http\Response::status() expects at least 1 argument, 0 given
[200,"a","b"] ArgumentCountError: Ferrite\Http\Response::status() expects at most 2 arguments, 3 given
[null] ValueError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be from 200 to 599
[[]] TypeError: Ferrite\Http\Response::status(): Argument #1 ($http_code) must be of type int, array given
