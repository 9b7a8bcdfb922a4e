--TEST--
The superglobals are PHP's own: no request writes into them, and they can be used at any time
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $made = [$request->get, $request->post, $request->cookie, count($request->files ?? [])];
    // Compiled only now, like a class that is loaded late.
    $super = eval('return [$_GET, $_POST, $_COOKIE, $_FILES, $_REQUEST, isset($_SERVER["argv"])];');
    $response->end(json_encode([$made, $super]));
    CODE, ini: ['variables_order' => 'EGPCS', 'request_order' => 'CGP', 'auto_globals_jit' => 1]);
$form = "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nb\r\n--X--\r\n";
foreach ([['application/x-www-form-urlencoded', 'p=q'], ['multipart/form-data; boundary=X', $form]] as [$type, $body]) {
    foreach ([1, 2] as $time) {
        echo $server->request('POST', '/?a=b', ['Cookie' => 'c=d', 'Content-Type' => $type], $body)->body, "\n";
    }
}
?>
--EXPECT--
[[{"a":"b"},{"p":"q"},{"c":"d"},0],[[],[],[],[],[],true]]
[[{"a":"b"},{"p":"q"},{"c":"d"},0],[[],[],[],[],[],true]]
[[{"a":"b"},null,{"c":"d"},1],[[],[],[],[],[],true]]
[[{"a":"b"},null,{"c":"d"},1],[[],[],[],[],[],true]]
