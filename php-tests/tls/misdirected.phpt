--TEST--
A request for a host that none of the port's certificates is for gets 421
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

$folder = certificate_folder();
make_certificate($folder, 'default.test');
make_certificate($folder, 'b', alternatives: 'DNS:*.b.test,DNS:b.test,IP:192.0.2.7');

$server = TestServer::start(<<<CODE
    \$file = fn (string \$name) => ['ssl_cert_file' => "$folder/\$name.pem", 'ssl_key_file' => "$folder/\$name.key"];
    \$sni = ['ssl_sni_certs' => ['b.test' => \$file('b'), '*.b.test' => \$file('b')]];
    \$server->set(['worker_num' => 1] + \$file('default.test'));
    foreach ([\$sni, \$sni + ['ssl_check_authority' => false], [], ['ssl_check_authority' => true]] as \$settings) {
        \$server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set(\$settings);
    }
    \$server->on('Request', function (\$request, \$response) {
        \$response->end('a handler was asked');
    });
    CODE);

$status = function (TestConnection $connection, string $host): string {
    $connection->request('GET', '/', ['Host' => $host]);
    $response = $connection->response();
    return "$host $response->status " . trim($response->body) . "\n";
};
echo "by default with ssl_sni_certs\n";
$connection = tls_connect($server->ports[1], ['peer_name' => 'x.b.test']);
foreach (['default.test', 'DEFAULT.test:443', 'b.test', 'x.b.test', '192.0.2.7', '127.0.0.1', 'x.y.b.test', 'other.test', '192.0.2.8', 'b'] as $host) {
    echo $status($connection, $host);
}
$connection->send("GET / HTTP/1.0\r\n\r\n");
echo 'none ', $connection->response()->status, "\n";
foreach ([2 => 'switched off', 3 => 'one certificate', 4 => 'one certificate, switched on'] as $port => $case) {
    echo "$case\n", $status(tls_connect($server->ports[$port]), 'other.test');
}
echo "in cleartext\n", $status($server->connect(), 'other.test');

echo "new certificates\n";
$connection = tls_connect($server->ports[1]);
make_certificate($folder, 'b', alternatives: 'DNS:other.test');
$server->signal(SIGUSR1);
wait_until(fn () => str_contains($status($connection, 'other.test'), '200'), 'the new name');
echo $status($connection, 'b.test'), $status($connection, 'default.test');
echo $server->stop(), "\n";
echo preg_match('/refused a request of client 127\.0\.0\.1:\d+: 421: .*ssl_check_authority/', $server->log()), "\n";
?>
--EXPECT--
by default with ssl_sni_certs
default.test 200 a handler was asked
DEFAULT.test:443 200 a handler was asked
b.test 200 a handler was asked
x.b.test 200 a handler was asked
192.0.2.7 200 a handler was asked
127.0.0.1 200 a handler was asked
x.y.b.test 421 421 Misdirected Request
other.test 421 421 Misdirected Request
192.0.2.8 421 421 Misdirected Request
b 421 421 Misdirected Request
none 200
switched off
other.test 200 a handler was asked
one certificate
other.test 200 a handler was asked
one certificate, switched on
other.test 421 421 Misdirected Request
in cleartext
other.test 200 a handler was asked
new certificates
b.test 421 421 Misdirected Request
default.test 200 a handler was asked
0
1
