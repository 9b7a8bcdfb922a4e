--TEST--
Http\Cookie: a cookie as an object, what it refuses, and cookie() that takes it
--FILE--
<?php
require __DIR__ . '/../show.inc';

use Ferrite\Http\Cookie;

function attempt(callable $do): void
{
    try {
        $result = $do();
        echo is_string($result) ? $result : json_encode($result), "\n";
    } catch (Throwable $error) {
        echo get_class($error), ': ', $error->getMessage(), "\n";
    }
}

$cookie = new Cookie();
var_dump($cookie === $cookie->withName('a')->withValue('b c;d'));
attempt(fn () => $cookie->toString());
attempt(fn () => $cookie->withPath()->withDomain('example.org')->withSecure(true)->withHttpOnly(true)
    ->withSameSite('Lax')->withPriority('High')->withPartitioned(true)->withExpires(-1)->toString());
attempt(fn () => $cookie->toArray());
attempt(fn () => $cookie->reset()->toArray());
attempt(fn () => (new Cookie(false))->withName('a')->withValue('b%20c')->reset()->toArray()['encode']);
attempt(fn () => (new Cookie(false))->withName('a')->withValue('b=c%20d')->toString());
attempt(fn () => (new Cookie())->withName('a')->toString());
attempt(fn () => (new class extends Cookie {
    public function __construct() {}
})->withName('a')->withValue('b c')->toString());

echo "\nrefused:\n";
attempt(fn () => $cookie->toString());
attempt(fn () => $cookie->withName(''));
attempt(fn () => $cookie->withName("a\r\nb"));
attempt(fn () => (new Cookie(false))->withValue("b\r\nX: y"));
attempt(fn () => $cookie->withExpires(253402300800));
attempt(fn () => $cookie->withPath('/; Secure'));
attempt(fn () => $cookie->withDomain("a\nb"));
attempt(fn () => $cookie->withSameSite('Sometimes'));
attempt(fn () => $cookie->withPriority("High\0"));
attempt(fn () => $cookie->withName('a')->withValue('b')->withPartitioned(true)->toString());
attempt(fn () => $cookie->toArray()['name'] . $cookie->toArray()['domain']);

echo "\nsent:\n";
$server = serve(<<<'CODE'
    class Text { public function __toString(): string { return 'text'; } }
    class Thrower { public function __toString(): string { throw new LogicException('thrown'); } }
    $cookie = (new Ferrite\Http\Cookie())->withName('a')->withValue('b c')->withSecure(true)->withPartitioned(true);
    $errors = [];
    foreach ([
        fn () => $response->cookie($cookie),
        fn () => $response->setCookie($cookie->withValue('2')),
        fn () => $response->rawcookie($cookie->withValue('b=c')),
        fn () => $response->setRawCookie((new Ferrite\Http\Cookie(false))->withName('r')->withValue('%20')),
        fn () => $response->cookie(5, 'number'),
        fn () => $response->cookie(new Text(), 'object'),
        fn () => $response->cookie(new Ferrite\Http\Cookie()),
        fn () => $response->cookie($cookie->withSecure(false)),
        fn () => $response->rawcookie($cookie->withSecure(true)->withValue('b c')),
        fn () => $response->cookie($cookie, 'value'),
        fn () => $response->cookie($cookie, secure: true),
        fn () => $response->cookie([], 'a'),
        fn () => $response->cookie(new stdClass(), 'a'),
        fn () => $response->cookie(new Thrower(), 'a'),
    ] as $call) {
        try {
            $call() or $errors[] = 'false';
        } catch (Throwable $error) {
            // PHP 8.2 names the class of an object here, and later ones its type.
            $errors[] = get_class($error) . ': ' . str_replace('stdClass given', 'object given', $error->getMessage());
        }
    }
    $response->end(implode("\n", [...$response->cookie, '', ...$errors]));
    CODE);
$answer = $server->get('/');
preg_match_all('/^set-cookie: (.*)\r$/mi', $answer->head, $match);
echo implode("\n", $match[1]) === strstr($answer->body, "\n\n", true) ? '' : "other lines were sent\n", $answer->body, "\n";
?>
--EXPECT--
bool(true)
a=b%20c%3Bd
a=b%20c%3Bd; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; Path=/; Domain=example.org; SameSite=Lax; Priority=High; Secure; HttpOnly; Partitioned
{"name":"a","value":"b c;d","path":"\/","domain":"example.org","sameSite":"Lax","priority":"High","encode":true,"expires":-1,"secure":true,"httpOnly":true,"partitioned":true}
{"name":"","value":"","path":"","domain":"","sameSite":"","priority":"","encode":true,"expires":0,"secure":false,"httpOnly":false,"partitioned":false}
false
a=b=c%20d
a=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0
a=b%20c

refused:
Ferrite\Exception: This cookie must have a name: call withName() first
ValueError: Ferrite\Http\Cookie::withName(): Argument #1 ($name) must not be empty
ValueError: Ferrite\Http\Cookie::withName(): Argument #1 ($name) must not contain "=", ",", ";", white space or control characters
ValueError: Ferrite\Http\Cookie::withValue(): Argument #1 ($value) must not contain ",", ";", white space or control characters
ValueError: Ferrite\Http\Cookie::withExpires(): Argument #1 ($expires) must not be later than the year 9999
ValueError: Ferrite\Http\Cookie::withPath(): Argument #1 ($path) must not contain ",", ";", white space or control characters
ValueError: Ferrite\Http\Cookie::withDomain(): Argument #1 ($domain) must not contain ",", ";", white space or control characters
ValueError: Ferrite\Http\Cookie::withSameSite(): Argument #1 ($sameSite) must be "Strict", "Lax", "None" or empty
ValueError: Ferrite\Http\Cookie::withPriority(): Argument #1 ($priority) must be "Low", "Medium", "High" or empty
Ferrite\Exception: This cookie must be secure, because it is partitioned: call withSecure(true) first
a

sent:
a=b%20c; Secure; Partitioned
a=2; Secure; Partitioned
a=b=c; Secure; Partitioned
r=%20
5=number; Path=/
text=object; Path=/

ValueError: Ferrite\Http\Response::cookie(): Argument #1 ($name) must have a name: call withName() first
ValueError: Ferrite\Http\Response::cookie(): Argument #1 ($name) must be secure, because it is partitioned: call withSecure(true) first
ValueError: Ferrite\Http\Response::rawcookie(): Argument #1 ($name) must have a value that can go out as it is: send it by cookie(), which encodes it
ValueError: Ferrite\Http\Response::cookie(): Argument #2 ($value) must not be given beside a Cookie object, which holds it: call the object's methods
ValueError: Ferrite\Http\Response::cookie(): Argument #2 ($value) must not be given beside a Cookie object, which holds it: call the object's methods
TypeError: Ferrite\Http\Response::cookie(): Argument #1 ($name) must be a Ferrite\Http\Cookie or a string, array given
TypeError: Ferrite\Http\Response::cookie(): Argument #1 ($name) must be a Ferrite\Http\Cookie or a string, object given
LogicException: thrown
