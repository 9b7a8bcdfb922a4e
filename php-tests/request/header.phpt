--TEST--
$request->header: lower-case names, lists for repeated fields, one value for single ones
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve('$response->end(json_encode($request->header, JSON_PRETTY_PRINT | JSON_INVALID_UTF8_SUBSTITUTE));');

$connection = $server->connect();
$connection->send("GET / HTTP/1.1\r\nHOST: localhost\r\nX-One: 1\r\nAccept: text/html\r\naccept: */*\r\n"
    . "ACCEPT: a/b\r\nUser-Agent: first\r\nuser-agent: second\r\nCookie: a=b\r\ncookie: c=d\r\n"
    . "Cookie: e=f\r\n404: numeric\r\n-5: minus\r\nX-Empty:\r\nX-Bytes: \xff\r\n\r\n");
echo $connection->response()->body, "\n";
$connection->send("GET / HTTP/1.1\r\nhost: localhost\r\nCookie: a=b\r\ncookie: c=d\r\nX-Two: 1\r\nx-two: 2\r\n"
    . "Content-Type: a/b\r\nContent-Type: c/d\r\n404: x\r\nx-empty:\r\n\r\n");
echo $connection->response()->body, "\n";
$connection->send("GET / HTTP/1.0\r\n\r\n");
echo $connection->response()->body, "\n";
?>
--EXPECT--
{
    "host": "localhost",
    "x-one": "1",
    "accept": [
        "text\/html",
        "*\/*",
        "a\/b"
    ],
    "user-agent": "second",
    "cookie": "a=b; c=d; e=f",
    "404": "numeric",
    "-5": "minus",
    "x-empty": "",
    "x-bytes": "\ufffd"
}
{
    "host": "localhost",
    "cookie": "a=b; c=d",
    "x-two": [
        "1",
        "2"
    ],
    "content-type": "c\/d",
    "404": "x",
    "x-empty": ""
}
null
