--TEST--
header(): replaces, lists, removes; refuses what would not stay in its line
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    class Text { function __construct(public string $text) {} function __toString(): string { return $this->text; } }
    class Bad { function __toString(): string { throw new DomainException('no text'); } }
    $server->on('Request', function ($request, $response) {
        try {
            $GLOBALS['cases'][$request->get['case']]($response);
        } catch (Throwable $e) {
            $response->end(get_class($e) . ': ' . $e->getMessage() . "\n" . json_encode($response->header));
        }
    });
    $cases = [
        'replace' => function ($r) { var_dump($r->header('X-A', '1')); $r->header('x-a', '2'); $r->setHeader('X-B', 'b'); $r->end(json_encode($r->header)); },
        'list' => function ($r) { $r->header('X-A', ['1', '2', 3]); $r->header('X-B', 'b'); $r->end(json_encode($r->header)); },
        'remove' => function ($r) { $r->header('X-A', '1'); $r->header('x-a', null); $r->header('X-B', []); $r->header('Content-Type', null); $r->end(json_encode($r->header)); },
        'scalars' => function ($r) { $r->header('X-Int', 5); $r->header('X-Float', 1.5); $r->header('X-Object', new Text('text')); $r->header('X-Empty', ''); $r->end(); },
        'spaces' => function ($r) { $r->header('X-A', "  a \t b  "); $r->end(); },
        'bytes' => function ($r) { $r->header('X-A', "\xc3\xa4\xff"); $r->end(); },
        'format' => function ($r) { $r->header('x-lower-CASE', 'a', false); $r->header('x-title', 'b', true); $r->end(); },
        'named' => function ($r) { $r->header(value: 'v', key: 'X-K'); $r->end(); },
        'property' => function ($r) { $a = $r->header; $r->header('X-A', '1'); $b = $r->header; $r->header('X-B', '2'); $r->cookie('c', 'd'); $r->trailer('X-T', 't');
            $r->end(json_encode([$a, $b, $r->header, $r->cookie, $r->trailer])); },
        'init' => function ($r) { $r->header('X-A', '1'); $r->cookie('a', 'b'); $r->header('Content-Type', null); $r->initHeader(); $r->end('x'); },
        'type' => function ($r) { $r->header('content-type', 'application/json'); $r->end('{}'); },
        'server' => function ($r) { $r->header('Server', 'mine'); $r->header('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'); $r->end(); },
        'hop-by-hop' => function ($r) { $r->header('Transfer-Encoding', 'gzip, chunked'); $r->header('Keep-Alive', 'timeout=5'); $r->header('Upgrade', 'h2c'); $r->header('Proxy-Connection', 'close'); $r->end('abc'); },
        'cr' => fn ($r) => $r->header('X-A', "a\rb"),
        'lf' => fn ($r) => $r->header('X-A', "a\nX-B: b"),
        'crlf' => fn ($r) => $r->header('X-A', ['fine', "a\r\nSet-Cookie: b=c"]),
        'nul' => fn ($r) => $r->header('X-A', "a\0b"),
        'escape' => fn ($r) => $r->header('X-A', "a\x1bb"),
        'name-crlf' => fn ($r) => $r->header("X-A: 1\r\nX-B", 'b'),
        'name-colon' => fn ($r) => $r->header('X-A:', 'b'),
        'name-space' => fn ($r) => $r->header('X A', 'b'),
        'name-empty' => fn ($r) => $r->header('', 'b'),
        'name-bytes' => fn ($r) => $r->header("X-\xc3\xa4", 'b'),
        'name-long' => fn ($r) => $r->header(str_repeat('a', 70000), 'b'),
        'array-in-list' => fn ($r) => $r->header('X-A', [['a']]),
        'bool' => fn ($r) => $r->header('X-A', true),
        'object' => fn ($r) => $r->header('X-A', new stdClass),
        'throws' => fn ($r) => $r->header('X-A', new Bad),
        'missing' => fn ($r) => $r->header('X-A'),
        'length-word' => fn ($r) => $r->header('Content-Length', 'many'),
        'length-list' => fn ($r) => $r->header('Content-Length', ['1', '1']),
        'too-much' => function ($r) { $r->header('X-A', str_repeat('a', 300000)); $r->end(); },
        'late' => function ($r) { $r->write('a'); $late = json_encode([$r->header('X-A', '1'), $r->status(404), $r->cookie('a', 'b'), $r->initHeader(), $r->redirect('/'), $r->sendfile('/etc/passwd')]); $r->end($late); },
    ];
    CODE);

foreach (['replace', 'list', 'remove', 'scalars', 'spaces', 'bytes', 'format', 'named', 'property', 'init', 'type', 'hop-by-hop', 'cr', 'lf',
    'crlf', 'nul', 'escape', 'name-crlf', 'name-colon', 'name-space', 'name-empty', 'name-bytes', 'name-long', 'array-in-list', 'bool',
    'object', 'throws', 'missing', 'length-word', 'length-list', 'too-much', 'late'] as $case) {
    echo "-- $case\n";
    show($server->get("/?case=$case"));
}
echo preg_match_all('/^(date|server):.*$/mi', $server->get('/?case=server')->head, $match), ' ', implode(' | ', array_map('trim', $match[0])), "\n";
?>
--EXPECT--
-- replace
200 OK
X-A: 2
X-B: b
Content-Type: text/html; charset=UTF-8
Content-Length: 21
{"x-a":"2","X-B":"b"}
-- list
200 OK
X-A: 1
X-A: 2
X-A: 3
X-B: b
Content-Type: text/html; charset=UTF-8
Content-Length: 31
{"X-A":["1","2","3"],"X-B":"b"}
-- remove
200 OK
Content-Length: 4
null
-- scalars
200 OK
X-Int: 5
X-Float: 1.5
X-Object: text
X-Empty: 
Content-Length: 0
-- spaces
200 OK
X-A: a 	 b
Content-Length: 0
-- bytes
200 OK
X-A: \303\244\377
Content-Length: 0
-- format
200 OK
X-Lower-Case: a
X-Title: b
Content-Length: 0
-- named
200 OK
X-K: v
Content-Length: 0
-- property
200 OK
X-A: 1
X-B: 2
Content-Type: text/html; charset=UTF-8
Set-Cookie: c=d; Path=/
Transfer-Encoding: chunked
[null,{"X-A":"1"},{"X-A":"1","X-B":"2"},["c=d; Path=\/"],{"X-T":"t"}]
-- init
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 1
x
-- type
200 OK
Content-Type: application/json
Content-Length: 2
{}
-- hop-by-hop
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 3
abc
-- cr
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 135
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
null
-- lf
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 135
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
null
-- crlf
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 135
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
null
-- nul
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 135
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
null
-- escape
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 135
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must not contain CR, LF, NUL or another control character in X-A
null
-- name-crlf
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 114
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be a field name, "X-A: 1\r\nX-B" is none
null
-- name-colon
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 105
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be a field name, "X-A:" is none
null
-- name-space
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 104
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be a field name, "X A" is none
null
-- name-empty
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 101
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be a field name, "" is none
null
-- name-bytes
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 111
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be a field name, "X-\xc3\xa4" is none
null
-- name-long
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 96
ValueError: Ferrite\Http\Response::header(): Argument #1 ($key) must be shorter than 64 KiB
null
-- array-in-list
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 126
TypeError: Ferrite\Http\Response::header(): Argument #2 ($value) must be a string, a list of strings or null, array given
null
-- bool
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 125
TypeError: Ferrite\Http\Response::header(): Argument #2 ($value) must be a string, a list of strings or null, bool given
null
-- object
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 69
Error: Object of class stdClass could not be converted to string
null
-- throws
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 29
DomainException: no text
null
-- missing
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 94
ArgumentCountError: Ferrite\Http\Response::header() expects at least 2 arguments, 1 given
null
-- length-word
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 105
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must be a number in Content-Length
null
-- length-list
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 105
ValueError: Ferrite\Http\Response::header(): Argument #2 ($value) must be a number in Content-Length
null
-- too-much
500 Internal Server Error
Content-Type: text/plain; charset=utf-8
Content-Length: 26
500 Internal Server Error
-- late
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
a[false,false,false,false,false,false]
2 Server: mine | Date: Thu, 01 Jan 1970 00:00:00 GMT
