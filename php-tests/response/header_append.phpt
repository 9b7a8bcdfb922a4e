--TEST--
header(append: true) adds lines to a field, which loops of code for other servers need
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    foreach (['Set-Cookie' => ['a=1', 'b=2', 'c=3'], 'Vary' => ['Accept', 'Cookie']] as $name => $lines) {
        foreach ($lines as $line) $response->header($name, $line, append: true);
    }
    $response->setHeader('set-cookie', ['d=4', 'e=5'], true, true);
    $response->header('Vary', null, append: true);
    $response->header('Vary', [], append: true);
    $response->cookie('f', '6');
    $response->header('X-A', '1', append: true);
    $response->header('X-A', '2');
    $seen = [];
    foreach (['Content-Length', 'content-type', 'LOCATION'] as $name) {
        try {
            $response->header($name, '1', append: true);
        } catch (ValueError $error) {
            $seen[] = $error->getMessage();
        }
    }
    try {
        $response->header('X-B', "a\r\nb", append: true);
    } catch (ValueError $error) {
        $seen[] = $error->getMessage();
    }
    $seen[] = $response->header;
    $response->end(json_encode($seen, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES));
    tell('after', json_encode($response->header('X-C', '1', append: true)));
    CODE);
show($server->get('/'));
$server->get('/');
echo 'after end(): ', $server->told('after'), "\n";
?>
--EXPECT--
200 OK
Set-Cookie: a=1
Set-Cookie: b=2
Set-Cookie: c=3
Vary: Accept
Vary: Cookie
Set-Cookie: d=4
Set-Cookie: e=5
X-A: 2
Content-Type: text/html; charset=UTF-8
Set-Cookie: f=6; Path=/
Content-Length: 767
[
    "Ferrite\\Http\\Response::header(): Argument #4 ($append) must be false for Content-Length, of which a response has one",
    "Ferrite\\Http\\Response::header(): Argument #4 ($append) must be false for content-type, of which a response has one",
    "Ferrite\\Http\\Response::header(): Argument #4 ($append) must be false for LOCATION, of which a response has one",
    "Ferrite\\Http\\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-B",
    {
        "Set-Cookie": [
            "a=1",
            "b=2",
            "c=3"
        ],
        "Vary": [
            "Accept",
            "Cookie"
        ],
        "set-cookie": [
            "d=4",
            "e=5"
        ],
        "X-A": "2"
    }
]
after end(): false
