--TEST--
$request->get is what PHP's own parser makes of the query
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve('$response->end(json_encode($request->get));', ini: ['max_input_vars' => 5]);
foreach (['/', '/?', '/?a', '/?a=b&c=d', '/?a[b][]=1&a[b][]=2&a[c]=3', '/?a.b=1&c%20d=2', '/?a=%C3%A4+x%00y',
    '/?a=1&a=2', '/?[=1&]=2', '/?a[=1', '/?1=one', '/?a&&b', '/?a=1;b=2', '/?=x'] as $target) {
    echo $target, ' ', $server->get($target)->body, "\n";
}

echo $server->get('/many?a=1&b=2&c=3&d=4&e=5&f=6')->body, "\n";
echo logged($server, '/many');
echo substr_count($server->log(), "\n"), " line\n";

$server = serve('$response->end(json_encode($request->get) . json_encode($request->post));',
    ini: ['arg_separator.input' => ';', 'max_input_nesting_level' => 2]);
echo $server->request('POST', '/?a=1;b=2&c', ['Content-Type' => 'application/x-www-form-urlencoded'], 'a=1&b=2;c')->body, "\n";
echo $server->get('/?a[b][c][d]=1;e=2')->body, "\n";
?>
--EXPECT--
/ null
/? null
/?a {"a":""}
/?a=b&c=d {"a":"b","c":"d"}
/?a[b][]=1&a[b][]=2&a[c]=3 {"a":{"b":["1","2"],"c":"3"}}
/?a.b=1&c%20d=2 {"a_b":"1","c_d":"2"}
/?a=%C3%A4+x%00y {"a":"\u00e4 x\u0000y"}
/?a=1&a=2 {"a":"2"}
/?[=1&]=2 {"]":"2"}
/?a[=1 {"a_":"1"}
/?1=one {"1":"one"}
/?a&&b {"a":"","b":""}
/?a=1;b=2 {"a":"1;b=2"}
/?=x []
{"a":"1","b":"2","c":"3","d":"4","e":"5"}
WARN GET /many: Input variables exceeded 5. To increase the limit change max_input_vars in php.ini.
1 line
{"a":"1","b":"2&c"}{"a":"1","b":"2;c"}
{"e":"2"}null
