--TEST--
getTarget(): path and query byte for byte
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve('$response->end(json_encode([$request->getTarget(), $request->server["request_uri"],
    $request->server["query_string"] ?? null], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE));');
foreach (['/', '/?', '/a%20b/%2F?c=%26&&d', '/a/../b//.', '/?a?b', 'http://shop.example/a?b', 'http://shop.example',
    'HTTP://shop.example?x', "/\xff"] as $target) {
    echo $server->get($target)->body, "\n";
}
echo $server->request('OPTIONS', '*')->body, "\n";
var_dump((new ReflectionClass(Ferrite\Http\Request::class))->newInstanceWithoutConstructor()->getTarget());
?>
--EXPECT--
["/","/",null]
["/?","/",null]
["/a%20b/%2F?c=%26&&d","/a%20b/%2F","c=%26&&d"]
["/a/../b//.","/a/../b//.",null]
["/?a?b","/","a?b"]
["/a?b","/a","b"]
["/","/",null]
["/?x","/","x"]
["/\ufffd","/\ufffd",null]
["*","*",null]
bool(false)
