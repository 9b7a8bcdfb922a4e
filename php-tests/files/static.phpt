--TEST--
enable_static_handler: files without a worker, and what is none goes to PHP
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    mkdir(place('root/docs'), recursive: true);
    mkdir(place('root/.git'));
    file_put_contents(place('root/app.js'), 'run()');
    file_put_contents(place('root/docs/index.html'), '<p>docs</p>');
    file_put_contents(place('root/.git/config'), 'secret');
    file_put_contents(place('root/index.php'), '<?php secret();');
    file_put_contents(place('secret'), 'secret');
    symlink('../secret', place('root/out.txt'));
    touch(place('root/app.js'), 1000000000);
    $server->set(['worker_num' => 1, 'enable_static_handler' => true, 'document_root' => place('root'),
        'http_index_files' => ['index.html'], 'static_cache_control' => 'max-age=5']);
    $server->on('Request', fn ($request, $response) => $response->end("PHP: {$request->server['request_method']} {$request->server['request_uri']}\n"));
    CODE);
$file = $server->get('/app.js?v=2');
echo "$file->status $file->body\n";
foreach (['Content-Type', 'Content-Length', 'Last-Modified', 'Cache-Control', 'Accept-Ranges'] as $name) {
    echo "$name: ", $file->header($name), "\n";
}
$etag = $file->header('ETag');
echo $server->get('/app.js', ['If-None-Match' => $etag])->status, "\n";
echo $server->get('/app.js', ['If-Match' => '"other"'])->status, "\n";
$part = $server->get('/app.js', ['Range' => 'bytes=1-2', 'If-Range' => $etag]);
echo "$part->status $part->body ", $part->header('Content-Range'), "\n";
echo $server->get('/docs')->header('Location'), ' ', $server->get('/docs/')->body, "\n";
foreach (['/', '/missing', '/index.php', '/.git/config', '/out.txt', '/..%2fsecret', '/docs/../../secret'] as $path) {
    echo $server->get($path)->body;
}
echo $server->request('POST', '/app.js')->body;
echo $server->stop(), "\n";
echo preg_match("/WARN|ERROR/", $server->log()), "\n";
?>
--EXPECT--
200 run()
Content-Type: text/javascript; charset=utf-8
Content-Length: 5
Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
Cache-Control: max-age=5
Accept-Ranges: bytes
304
412
206 un bytes 1-2/5
/docs/ <p>docs</p>
PHP: GET /
PHP: GET /missing
PHP: GET /index.php
PHP: GET /.git/config
PHP: GET /out.txt
PHP: GET /..%2fsecret
PHP: GET /docs/../../secret
PHP: POST /app.js
0
0
