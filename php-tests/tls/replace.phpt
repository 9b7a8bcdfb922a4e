--TEST--
Certificates are replaced by reload, by reloadTls() and when their files change; bad ones are refused
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

$folder = certificate_folder();
foreach (['one', 'two', 'three', 'four'] as $name) {
    make_certificate($folder, $name);
}
function put(string $certificate, string $key): void
{
    global $folder;
    copy("$folder/$certificate", "$folder/live.pem");
    copy("$folder/$key", "$folder/live.key");
}

put('one.pem', 'one.key');
$server = TestServer::script(<<<CODE
    \$server = new Ferrite\Http\Server('127.0.0.1', 0, Ferrite\PROCESS, Ferrite\SOCK_TCP | Ferrite\SSL);
    \$server->set(['worker_num' => 1, 'ssl_cert_file' => '$folder/live.pem', 'ssl_key_file' => '$folder/live.key']);
    \$server->on('Start', ready(...));
    \$server->on('Request', function (\$request, \$response) use (\$server) {
        \$response->end(\$request->server['path_info'] === '/reload' ? json_encode(\$server->reloadTls()) : 'hello');
    });
    \$server->start();
    CODE);
$early = tls_connect($server->port);
echo shown_name($early), "\n";

put('two.pem', 'two.key');
$server->signal(SIGUSR1);
wait_until(fn () => shown_name(tls_connect($server->port)) === 'two', 'the reload');

put('three.pem', 'three.key');
$early->request('GET', '/reload');
echo $early->response()->body, "\n";
wait_until(fn () => shown_name(tls_connect($server->port)) === 'three', 'reloadTls()');

put('four.pem', 'one.key');
$early->request('GET', '/reload');
echo $early->response()->body, "\n";
wait_until(fn () => str_contains($server->log(), 'refused'), 'the refusal');
echo shown_name(tls_connect($server->port)), "\n";

put('four.pem', 'four.key');
wait_until(fn () => shown_name(tls_connect($server->port)) === 'four', 'the look at the files');

// The successor of a reactor has them too, for its first client.
$old = $server->children()['reactor'];
send_signal($old, SIGKILL);
wait_until(fn () => !is_alive($old) && isset($server->children()['reactor']), 'the new reactor');
echo shown_name(tls_connect($server->port)), "\n";
preg_match('/refused, the old one stays: .*/', $server->log(), $match);
echo str_replace($folder, 'FOLDER', $match[0]), "\n";
echo $server->stop(), "\n";
?>
--EXPECT--
one
true
true
three
four
refused, the old one stays: ssl_key_file FOLDER/live.key: the key does not belong to the certificate FOLDER/live.pem
0
