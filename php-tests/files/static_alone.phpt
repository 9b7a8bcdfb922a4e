--TEST--
enable_static_handler: a port without a callback for Request, locations, and what start() refuses
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    foreach (['', 'no slash', '../up'] as $bad) {
        $other = new Ferrite\Http\Server('127.0.0.1', 0);
        $other->set(['enable_static_handler' => true]);
        $other->set(match ($bad) {
            '' => [],
            'no slash' => ['document_root' => __DIR__, 'static_handler_locations' => ['static']],
            '../up' => ['document_root' => __DIR__, 'http_index_files' => ['../up']],
        });
        try {
            $other->start();
        } catch (Ferrite\Exception $e) {
            echo $e->getMessage(), "\n";
        }
    }
    try {
        $server->set(['http_index_files' => 'index.html']);
    } catch (TypeError $e) {
        echo $e->getMessage(), "\n";
    }
    mkdir(place('root/static'), recursive: true);
    file_put_contents(place('root/static/a<b>.txt'), 'one');
    file_put_contents(place('root/other.txt'), 'two');
    $server->set(['worker_num' => 1, 'enable_static_handler' => true, 'document_root' => place('root'),
        'static_handler_locations' => ['/static/'], 'http_autoindex' => true]);
    CODE);
foreach (['/static/a%3cb%3e.txt', '/other.txt', '/'] as $path) {
    $response = $server->get($path);
    echo "$response->status $response->body\n";
}
echo $server->get('/static/')->body;
$response = $server->request('POST', '/static/a%3cb%3e.txt');
echo "$response->status ", $response->header('Allow'), "\n";
$server->stop();
echo $server->out();
?>
--EXPECT--
200 one
404 404 Not Found

404 404 Not Found

<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Index of /static/</title></head>
<body><h1>Index of /static/</h1>
<ul>
<li><a href="../">../</a></li>
<li><a href="a%3Cb%3E.txt">a&lt;b&gt;.txt</a></li>
</ul>
</body></html>
405 GET, HEAD
Option 'enable_static_handler' needs a directory: set 'document_root' to one
Option 'static_handler_locations' must be paths that begin with '/', "static" given
Option 'http_index_files' must be names of files without '/' that do not begin with '.', "../up" given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'http_index_files' must be an array of strings without control characters, "index.html" given
