--TEST--
php_ini: settings of PHP's in the server's processes; what there is not, or cannot be set, is an exception
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reset_state' => true, 'php_ini' => [
        'upload_max_filesize' => '3K', 'max_input_vars' => 2, 'max_file_uploads' => 1, 'memory_limit' => '64M', 'html_errors' => false]]);
    $server->on('Request', function ($request, $response) {
        $names = ['upload_max_filesize', 'max_input_vars', 'memory_limit', 'html_errors'];
        $seen = array_map('ini_get', $names);
        ini_set('memory_limit', '96M');
        $response->end(json_encode([$seen, ini_get('memory_limit'), $request->post, array_column($request->files ?? [], 'error', 'name')]));
    });
    CODE);

$part = fn (string $name, string $content) => "--B\r\nContent-Disposition: form-data; name=$name; filename=$name\r\n\r\n$content\r\n";
$body = $part('small', str_repeat('x', 3000)) . $part('second', 'x') . "--B--\r\n";
$multipart = ['Content-Type' => 'multipart/form-data; boundary=B'];
echo $server->request('POST', '/', $multipart, $body)->body, "\n";
echo $server->request('POST', '/', $multipart, $part('large', str_repeat('x', 3073)) . "--B--\r\n")->body, "\n";
$urlencoded = ['Content-Type' => 'application/x-www-form-urlencoded'];
echo $server->request('POST', '/', $urlencoded, 'a=1&b=2&c=3')->body, "\n";
echo $server->stop(), "\n";

foreach ([['upload_max_filesise' => '1M'], ['precision' => -5], ['nothing like it' => 1], ['max_input_vars'], ['memory_limit' => []]] as $ini) {
    try {
        $server = new Ferrite\Http\Server('127.0.0.1', 0);
        $server->set(['php_ini' => $ini]);
        $server->on('Request', fn ($request, $response) => $response->end());
        $server->start();
    } catch (Exception | ValueError | TypeError $error) {
        echo get_class($error), ': ', $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
[["3K","2","64M",""],"96M",null,{"small":0}]
[["3K","2","64M",""],"96M",null,{"large":1}]
[["3K","2","64M",""],"96M",{"a":"1","b":"2"},[]]
0
Ferrite\Exception: php_ini: PHP has no setting 'upload_max_filesise'; did you mean 'upload_max_filesize'?
Ferrite\Exception: php_ini: 'precision' cannot be set to '-5' while PHP runs: is that a value of it? Else set it when PHP starts (php -d precision=…)
Ferrite\Exception: php_ini: PHP has no setting 'nothing like it'
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'php_ini' must be an array of settings by name, as php.ini has them, an array of 1 given
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'php_ini' must be an array of settings by name, as php.ini has them, an array of 1 given
