--TEST--
informational(): interim responses go out at once, before the final one, and never after it
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/refused') {
        $refused = [];
        foreach ([[100], [101], [200], [99], [103, ["X A" => 'b']], [103, ['X-A' => "b\nc"]], [103, ['X-A' => [[]]]]] as $arguments) {
            try {
                $response->informational(...$arguments);
            } catch (ValueError | TypeError $e) {
                $refused[] = $e->getMessage();
            }
        }
        return $response->end(implode("\n", $refused));
    }
    $link = '</style.css>; rel=preload; as=style';
    $sent = [$response->informational(103, ['Link' => [$link, '</app.js>; rel=preload; as=script']])];
    // The client answers to it: so it has arrived before the final response was made.
    $go = json_decode($request->header['x-wait'] ?? 'null');
    while ($go !== null && !file_exists($go)) {
        usleep(1000);
    }
    $sent[] = $response->informational(102);
    $response->write(json_encode($sent));
    $response->end(json_encode($response->informational(103)));
    CODE);
$go = sys_get_temp_dir() . '/ferrite-' . getmypid() . '.go';
$connection = $server->connect();
$connection->request('GET', '/', ['Connection' => 'close', 'X-Wait' => json_encode($go)]);
$interim = '';
while (!str_ends_with($interim, "\r\n\r\n")) {
    $interim .= $connection->bytes(1);
}
echo $interim;
touch($go);
echo preg_replace('/^(date|server|content-type):.*\r\n/mi', '', $connection->rest()), "\n";
unlink($go);

// HTTP/1.0 knows none.
$connection = $server->connect();
$connection->send("GET / HTTP/1.0\r\n\r\n");
echo preg_replace('/^(date|server|content-type):.*\r\n/mi', '', $connection->rest()), "\n";
show($server->get('/refused'));
?>
--EXPECT--
HTTP/1.1 103 Early Hints
Link: </style.css>; rel=preload; as=style
Link: </app.js>; rel=preload; as=script

HTTP/1.1 102 Processing

HTTP/1.1 200 OK
Transfer-Encoding: chunked
Connection: close

b
[true,true]
5
false
0


HTTP/1.1 200 OK
Connection: close

[true,true]false
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 815
Ferrite\Http\Response::informational(): Argument #1 ($http_code) must not be 100: the server sends it when the client waits for it
Ferrite\Http\Response::informational(): Argument #1 ($http_code) must not be 101: a response does not change the protocol
Ferrite\Http\Response::informational(): Argument #1 ($http_code) must be an interim status, from 102 to 199
Ferrite\Http\Response::informational(): Argument #1 ($http_code) must be an interim status, from 102 to 199
Ferrite\Http\Response::informational(): Argument #2 ($headers) must be a field name, "X A" is none
Ferrite\Http\Response::informational(): Argument #2 ($headers) must not contain CR, LF, NUL or another control character in X-A
Ferrite\Http\Response::informational(): Argument #2 ($headers) must be a string, a list of strings or null, array given
