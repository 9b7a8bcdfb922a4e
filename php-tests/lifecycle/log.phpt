--TEST--
log_file is appended to line by line; log_level holds back
--FILE--
<?php
require __DIR__ . '/../server.inc';

$code = <<<'CODE'
    $server->set(['worker_num' => 1, 'log_file' => place('file.log')]);
    $server->on('Request', function ($request, $response) {
        throw new LogicException("first\nsecond");
    });
    CODE;
$server = TestServer::start($code . 'file_put_contents(place("file.log"), "kept\n");');
echo $server->get('/')->status, "\n";
$server->stop();
$server->waitForAll();
foreach (file($server->place('file.log')) as $line) {
    echo preg_match('/^kept$|^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO |WARN |ERROR) (supervisor|reactor|worker 0) \[\d+\] \S.*$/', $line)
        ? 'well-formed' : "not well-formed: $line", "\n";
}
echo preg_match('/LogicException: first\\\\nsecond in .*server\.php:\d+/', file_get_contents($server->place('file.log'))), "\n";
var_dump($server->log());

$server = TestServer::start($code . '$server->set(["log_level" => Ferrite\LOG_NONE]);');
$server->get('/');
$server->stop();
var_dump(filesize($server->place('file.log')));

$server = TestServer::launch('(function () { $server = new Ferrite\Http\Server("127.0.0.1", 0);'
    . '$server->set(["log_file" => "/no/such/folder/file"]); $server->on("Request", "strlen"); $server->start(); })();');
echo $server->wait(), ' ', preg_match('~Cannot append to log_file /no/such/folder/file: No such file~', $server->out()), "\n";
?>
--EXPECTF--
500
well-formed
well-formed
well-formed%A
1
string(0) ""
int(0)
255 1
