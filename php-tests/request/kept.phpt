--TEST--
A request that is kept beyond its handler still tells what it was
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    static $kept = null;
    $before = $kept;
    $kept = $request;
    $response->end(json_encode($before === null ? null : [
        $before->server['request_uri'], $before->get, $before->post, $before->cookie, $before->rawContent(), $before->header['x-a'],
    ]));
    CODE);
$fields = ['Content-Type' => 'application/x-www-form-urlencoded', 'Cookie' => 'c=d', 'X-A' => '1'];
echo $server->request('POST', '/first?a=b', $fields, 'e=f')->body, "\n";
echo $server->request('POST', '/second?a=c', $fields, 'e=g')->body, "\n";
echo $server->get('/')->body, "\n";
?>
--EXPECT--
null
["\/first",{"a":"b"},{"e":"f"},{"c":"d"},"e=f","1"]
["\/second",{"a":"c"},{"e":"g"},{"c":"d"},"e=g","1"]
