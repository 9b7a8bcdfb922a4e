--TEST--
$request->cookie follows PHP's rules for cookies
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve('$response->end(json_encode($request->cookie));');
foreach (['a=b', 'a=b; c=d', 'a=first; a=second', 'a=b%20c+d', 'a.b=1; a[b]=2; a[c]=3', 'flag', ' a = b ; ;c=d',
    '__Host-a=1; ..Host-a=2; __Secure-b=3', '', 'a="quoted"', '%61=decoded'] as $cookie) {
    echo $cookie, ' => ', $server->get('/', ['Cookie' => $cookie])->body, "\n";
}
echo $server->get('/')->body, "\n";

// One client's cookies are not seen by the next one, nor by the filter extension.
$server = serve('$response->end(json_encode([$request->cookie, $_COOKIE, filter_input_array(INPUT_COOKIE)]));');
$server->get('/', ['Cookie' => 'secret=1']);
echo $server->get('/', ['Cookie' => 'mine=1'])->body, "\n";

$server = serve('$response->end(json_encode([$request->cookie, $request->header["cookie"]]));', "'http_parse_cookie' => false");
echo $server->get('/', ['Cookie' => 'a=b'])->body, "\n";
?>
--EXPECT--
a=b => {"a":"b"}
a=b; c=d => {"a":"b","c":"d"}
a=first; a=second => {"a":"first"}
a=b%20c+d => {"a":"b c+d"}
a.b=1; a[b]=2; a[c]=3 => {"a_b":"1","a":{"b":"2","c":"3"}}
flag => {"flag":""}
 a = b ; ;c=d => {"a_":" b ","c":"d"}
__Host-a=1; ..Host-a=2; __Secure-b=3 => {"__Host-a":"1","__Secure-b":"3"}
 => null
a="quoted" => {"a":"\"quoted\""}
%61=decoded => {"%61":"decoded"}
null
[{"mine":"1"},[],null]
[null,"a=b"]
