--TEST--
$request->files: uploads by PHP's own parser, with is_uploaded_file() and move_uploaded_file()
--FILE--
<?php
require __DIR__ . '/../show.inc';

const FORM = ['Content-Type' => 'multipart/form-data; boundary=XX'];

function form(array $parts): string
{
    $form = '';
    foreach ($parts as [$disposition, $content]) {
        $form .= "--XX\r\nContent-Disposition: form-data; $disposition\r\n\r\n$content\r\n";
    }
    return "$form--XX--\r\n";
}

$handler = <<<'CODE'
    $files = $request->files;
    $seen = fn ($file) => [
        'tmp_name' => $file['tmp_name'] === '' ? '' : dirname($file['tmp_name'], 2) === place('up'),
        'uploaded' => is_uploaded_file($file['tmp_name']),
        'content' => $file['error'] === 0 ? file_get_contents($file['tmp_name']) : null,
    ] + $file;
    $one = isset($files['f']) && is_string($files['f']['name']);
    if ($one) {
        $GLOBALS['last'] = $files['f']['tmp_name'];
        $files['f'] = $seen($files['f']);
    }
    $response->end(json_encode([
        'post' => $request->post,
        'files' => $files,
        'tmpfiles' => $request->tmpfiles === null ? null : array_map(fn ($path) => str_starts_with("$path", place('up') . '/') && is_file($path) && is_uploaded_file($path), $request->tmpfiles),
        'raw' => strlen($request->rawContent()) === (int) $request->header['content-length'],
    ], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES));
    CODE;
$server = TestServer::start(<<<CODE
    mkdir(\$up = place('up'));
    \$server->set(['worker_num' => 1, 'upload_tmp_dir' => \$up]);
    \$server->on('Request', function (\$request, \$response) {
        switch (\$request->server['request_uri']) {
            case '/last': return \$response->end(json_encode([file_exists(\$GLOBALS['last']), count(glob(place('up/*'))), is_uploaded_file(\$GLOBALS['last'])]));
            case '/move': return \$response->end(json_encode([
                \$before = fileinode(\$request->files['f']['tmp_name']), move_uploaded_file(\$request->files['f']['tmp_name'], place('moved')), file_get_contents(place('moved')), fileinode(place('moved')) === \$before]));
            case '/rmdir': return \$response->end(json_encode(rmdir(place('up'))));
            case '/keep': \$GLOBALS['kept'] = \$request; return \$response->end();
            case '/kept': return \$response->end(json_encode([\$GLOBALS['kept']->files, \$GLOBALS['kept']->post, \$GLOBALS['kept']->server['request_uri']]));
        }
        $handler
    });
    CODE, ['upload_max_filesize' => '1K', 'max_file_uploads' => 2, 'post_max_size' => '1K']);

$one = form([['name="a"', '1'], ['name="f"; filename="x/y.txt"' . "\r\nContent-Type: text/plain", "con\0tent"], ['name="b[c]"', '2']]);
echo "-- one\n", $server->request('POST', '/', FORM, $one)->body, "\n";
echo "-- removed afterwards\n", $server->get('/last')->body, "\n";
echo "-- moved\n", preg_replace('/^\[\d+,/', '[', $server->request('POST', '/move', FORM, $one)->body), "\n";
echo "-- several\n", preg_replace('~/\S+/up/ferrite-uploads-[\d-]+/php\w+~', 'PATH', $server->request('POST', '/', FORM, form([
    ['name="f[]"; filename="1"', 'a'], ['name="f[]"; filename="2"', 'bb']]))->body), "\n";
echo "-- too many\n", substr_count($server->request('POST', '/many', FORM, form([
    ['name="f[]"; filename="1"', 'a'], ['name="f[]"; filename="2"', 'b'], ['name="f[]"; filename="3"', 'c']]))->body, '/up/'), "\n";
echo logged($server, '/many');
echo "-- too large, and more than post_max_size\n", $server->request('POST', '/', FORM, form([
    ['name="f"; filename="big"', str_repeat('x', 5000)], ['name="a"', '1']]))->body, "\n";
echo "-- none chosen\n", $server->request('POST', '/', FORM, form([['name="f"; filename=""', '']]))->body, "\n";
echo "-- kept for later\n";
$server->request('POST', '/keep', FORM, $one);
echo $server->get('/kept')->body, "\n";
echo "-- broken\n";
foreach (['', '; boundary', '; boundary=', '; boundary=YY'] as $boundary) {
    echo $server->request('POST', '/broken', ['Content-Type' => "multipart/form-data$boundary"], $one)->status, ' ';
}
echo $server->request('POST', '/', FORM, substr($one, 0, 60))->status, "\n";
echo $server->get('/rmdir')->body, "\n";

echo "-- http_parse_files off\n";
$server = serve('$response->end(json_encode([$request->post, $request->files]));', "'http_parse_files' => false");
echo $server->request('POST', '/', FORM, $one)->body, "\n";
?>
--EXPECT--
-- one
{
    "post": {
        "a": "1",
        "b": {
            "c": "2"
        }
    },
    "files": {
        "f": {
            "tmp_name": true,
            "uploaded": true,
            "content": "con\u0000tent",
            "name": "y.txt",
            "full_path": "x/y.txt",
            "type": "text/plain",
            "error": 0,
            "size": 8
        }
    },
    "tmpfiles": [
        true
    ],
    "raw": true
}
-- removed afterwards
[false,0,false]
-- moved
[true,"con\u0000tent",true]
-- several
{
    "post": null,
    "files": {
        "f": {
            "name": [
                "1",
                "2"
            ],
            "full_path": [
                "1",
                "2"
            ],
            "type": [
                "",
                ""
            ],
            "tmp_name": [
                "PATH",
                "PATH"
            ],
            "error": [
                0,
                0
            ],
            "size": [
                1,
                2
            ]
        }
    },
    "tmpfiles": [
        true,
        true
    ],
    "raw": true
}
-- too many
2
WARN POST /many: Maximum number of allowable file uploads has been exceeded
-- too large, and more than post_max_size
{
    "post": {
        "a": "1"
    },
    "files": {
        "f": {
            "tmp_name": "",
            "uploaded": false,
            "content": null,
            "name": "big",
            "full_path": "big",
            "type": "",
            "error": 1,
            "size": 0
        }
    },
    "tmpfiles": null,
    "raw": true
}
-- none chosen
{
    "post": null,
    "files": {
        "f": {
            "tmp_name": "",
            "uploaded": false,
            "content": null,
            "name": "",
            "full_path": "",
            "type": "",
            "error": 4,
            "size": 0
        }
    },
    "tmpfiles": null,
    "raw": true
}
-- kept for later
[null,null,"\/keep"]
-- broken
200 200 200 200 200
true
-- http_parse_files off
[{"a":"1","b":{"c":"2"}},null]
