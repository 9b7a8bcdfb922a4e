--TEST--
$request->post is what PHP's own parser makes of an urlencoded form
--FILE--
<?php
require __DIR__ . '/../show.inc';

const FORM = ['Content-Type' => 'application/x-www-form-urlencoded'];
$show = '$response->end(json_encode([$request->post, $request->files, $request->tmpfiles, strlen($request->rawContent())]));';
$server = serve($show, ini: ['max_input_vars' => 3]);
foreach (['a=b', 'a[b][]=1&a[b][]=2', 'a=%20+x', "a=b\0c&d=e", ''] as $body) {
    echo $server->request('POST', '/', FORM, $body)->body, "\n";
}
echo "other media types and methods\n";
echo $server->request('POST', '/', ['Content-Type' => 'application/json'], '{"a":1}')->body, "\n";
echo $server->request('POST', '/', [], 'a=b')->body, "\n";
echo $server->request('PUT', '/', ['Content-Type' => 'Application/X-WWW-Form-URLencoded ; charset=utf-8'], 'a=b')->body, "\n";
echo "limits\n";
echo $server->request('POST', '/limit', FORM, 'a=1&b=2&c=3&d=4')->body, "\n";
echo logged($server, '/limit');

echo "spooled to a file\n";
$server = serve('$response->end(json_encode([strlen($request->post["a"]), $request->post["b"], md5($request->rawContent())]));');
$body = 'a=' . str_repeat('x', 1500000) . '&b=2';
echo $server->request('POST', '/', FORM, $body)->body === json_encode([1500000, '2', md5($body)]) ? "ok\n" : "failed\n";

echo "not parsed\n";
$server = serve($show, "'http_parse_post' => false");
echo $server->request('POST', '/', FORM, 'a=b')->body, "\n";
?>
--EXPECT--
[{"a":"b"},null,null,3]
[{"a":{"b":["1","2"]}},null,null,17]
[{"a":"  x"},null,null,7]
[{"a":"b\u0000c","d":"e"},null,null,9]
[null,null,null,0]
other media types and methods
[null,null,null,7]
[null,null,null,3]
[{"a":"b"},null,null,3]
limits
[{"a":"1","b":"2","c":"3"},null,null,15]
WARN POST /limit: Input variables exceeded 3. To increase the limit change max_input_vars in php.ini.
spooled to a file
ok
not parsed
[null,null,null,3]
