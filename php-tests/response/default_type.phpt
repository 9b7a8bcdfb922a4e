--TEST--
Without a Content-Type of the handler's, PHP's default_mimetype and default_charset count
--FILE--
<?php
require __DIR__ . '/../show.inc';

$handler = <<<'CODE'
    if (isset($request->get['charset'])) {
        ini_set('default_charset', $request->get['charset']);
    }
    if (isset($request->get['none'])) {
        $response->header('Content-Type', null);
    }
    $response->end($request->get['body'] ?? 'x');
    CODE;
foreach ([[], ['default_charset' => ''], ['default_mimetype' => 'application/json'], ['default_mimetype' => ''], ['default_mimetype' => 'TEXT/plain']] as $ini) {
    $server = serve($handler, ini: $ini);
    echo json_encode($ini), ' ', json_encode($server->get('/')->header('content-type')), "\n";
}
$server = serve($handler);
echo json_encode($server->get('/?body=')->header('content-type')), "\n";
echo json_encode($server->get('/?none=1')->header('content-type')), "\n";
echo json_encode($server->get('/?charset=latin1')->header('content-type')), "\n";
?>
--EXPECT--
[] "text\/html; charset=UTF-8"
{"default_charset":""} "text\/html"
{"default_mimetype":"application\/json"} "application\/json"
{"default_mimetype":""} null
{"default_mimetype":"TEXT\/plain"} "TEXT\/plain; charset=UTF-8"
null
null
"text\/html; charset=latin1"
