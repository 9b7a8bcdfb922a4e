--TEST--
SSLKEYLOGFILE has the keys of connections, and the log says so
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

$file = sys_get_temp_dir() . '/ferrite-keys-' . getmypid();
register_shutdown_function(fn () => @unlink($file));
putenv("SSLKEYLOGFILE=$file");
$server = TestServer::start(<<<'CODE'
    $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set(['tls' => 'dev']);
    $server->on('Request', fn ($request, $response) => $response->end());
    CODE);
$server->waitForLog('~SSLKEYLOGFILE~');
tls_connect($server->ports[1])->close();
$keys = fn (string $kind) => preg_match_all("~^{$kind}_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]{64,}\$~m", file_get_contents($file));
wait_until(fn () => $keys('CLIENT') === 1 && $keys('SERVER') === 1, 'two keys');
printf("%o\n", fileperms($file) & 0777);
echo $server->stop(), "\n";
?>
--EXPECT--
600
0
