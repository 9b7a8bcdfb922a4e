--TEST--
cookie() and rawcookie(): all attributes, encoding, deletion, and what is refused
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $calls = json_decode($request->get['a'], true);
    foreach ($calls as [$method, $arguments]) {
        try {
            $response->$method(...$arguments) or print('false');
        } catch (ValueError $e) {
            $response->header('X-Error', $e->getMessage());
        }
    }
    $response->end();
    CODE);

$year = strtotime('2037-01-02 03:04:05 UTC');
foreach ([
    [['cookie', ['a', 'b']]],
    [['cookie', ['a', 'b c;d,e%ä']]],
    [['rawcookie', ['a', 'b=c%20d']]],
    [['setCookie', ['a', 'b', 0, '/p', 'example.org', true, true, 'Lax', 'High', true]]],
    [['setRawCookie', ['name' => 'a', 'value' => 'b', 'samesite' => 'None', 'secure' => true]]],
    [['cookie', ['a']]],
    [['cookie', ['a', '', 5, '/']]],
    [['cookie', ['a', 'b', 0, '']]],
    [['cookie', ['a', '0']]],
    [['cookie', ['a', '1']], ['cookie', ['b', '2']], ['rawcookie', ['a', '3']]],
    [['cookie', ['a', 'b', $year]]],
    [['cookie', ['a', 'b', -1]]],
    [['cookie', ['a', 'b', 253402300799]]],
    [['cookie', ['a', 'b', 253402300800]]],
    [['cookie', ['', 'b']]],
    [['cookie', ['a=b', 'c']]],
    [['cookie', ["a\r\nb", 'c']]],
    [['rawcookie', ['a', "b\r\nX: y"]]],
    [['rawcookie', ['a', 'b; Domain=evil']]],
    [['cookie', ['a', 'b', 0, "/; Secure"]]],
    [['cookie', ['a', 'b', 0, '/', "a\nb"]]],
    [['cookie', ['a', 'b', 0, '/', '', false, false, 'Lax; Secure']]],
    [['cookie', ['a', 'b', 0, '/', '', false, false, '', "High\0"]]],
    [['cookie', ['a', 'b', 0, '/', '', false, false, 'strict', 'LOW']]],
    [['cookie', ['a', 'b', 0, '/', '', false, false, 'Sometimes']]],
    [['rawcookie', ['a', 'b', 0, '/', '', false, false, '', 'Urgent']]],
    [['cookie', ['name' => 'a', 'value' => 'b', 'secure' => true, 'partitioned' => true]]],
    [['cookie', ['name' => 'a', 'value' => 'b', 'partitioned' => true]]],
] as $calls) {
    $head = $server->get('/?a=' . rawurlencode(json_encode($calls)))->head;
    preg_match_all('/^(set-cookie|x-error): (.*)\r$/mi', $head, $match);
    foreach ($match[2] as $value) {
        echo preg_replace_callback('/Max-Age=(\d+)/', fn ($age) => 'Max-Age=' . ($age[1] > 1 ? (string) (abs($age[1] - $year + time()) < 5 ? 'right' : 'other') : $age[1]), $value), "\n";
    }
    echo "\n";
}
?>
--EXPECT--
a=b; Path=/

a=b%20c%3Bd%2Ce%25%C3%A4; Path=/

a=b=c%20d; Path=/

a=b; Path=/p; Domain=example.org; SameSite=Lax; Priority=High; Secure; HttpOnly; Partitioned

a=b; Path=/; SameSite=None; Secure

a=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; Path=/

a=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; Path=/

a=b

a=0; Path=/

a=1; Path=/
b=2; Path=/
a=3; Path=/

a=b; Expires=Fri, 02 Jan 2037 03:04:05 GMT; Max-Age=right; Path=/

a=b; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; Path=/

a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Max-Age=other; Path=/

Ferrite\Http\Response::cookie(): Argument #3 ($expires) must not be later than the year 9999

Ferrite\Http\Response::cookie(): Argument #1 ($name) must not be empty

Ferrite\Http\Response::cookie(): Argument #1 ($name) must not contain "=", ",", ";", white space or control characters

Ferrite\Http\Response::cookie(): Argument #1 ($name) must not contain "=", ",", ";", white space or control characters

Ferrite\Http\Response::rawcookie(): Argument #2 ($value) must not contain ",", ";", white space or control characters

Ferrite\Http\Response::rawcookie(): Argument #2 ($value) must not contain ",", ";", white space or control characters

Ferrite\Http\Response::cookie(): Argument #4 ($path) must not contain ",", ";", white space or control characters

Ferrite\Http\Response::cookie(): Argument #5 ($domain) must not contain ",", ";", white space or control characters

Ferrite\Http\Response::cookie(): Argument #8 ($samesite) must be "Strict", "Lax", "None" or empty

Ferrite\Http\Response::cookie(): Argument #9 ($priority) must be "Low", "Medium", "High" or empty

a=b; Path=/; SameSite=strict; Priority=LOW

Ferrite\Http\Response::cookie(): Argument #8 ($samesite) must be "Strict", "Lax", "None" or empty

Ferrite\Http\Response::rawcookie(): Argument #9 ($priority) must be "Low", "Medium", "High" or empty

a=b; Path=/; Secure; Partitioned

Ferrite\Http\Response::cookie(): Argument #10 ($partitioned) must be false for a cookie that is not secure: set Secure as well
