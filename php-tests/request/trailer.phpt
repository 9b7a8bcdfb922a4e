--TEST--
$request->trailer holds the trailer fields of a chunked request
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve('$response->end(json_encode([$request->trailer, $request->rawContent()]));');
$connection = $server->connect();
$connection->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n");
echo $connection->response()->body, "\n";
$connection->request('GET', '/');
echo $connection->response()->body, "\n";
?>
--EXPECT--
[{"x-sum":["1","2"]},"abc"]
[null,""]
