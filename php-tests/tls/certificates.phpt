--TEST--
Certificates by server name, and certificates of clients
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

$folder = certificate_folder();
foreach (['default', 'a.test', 'star'] as $name) {
    make_certificate($folder, $name);
}
$authority = make_certificate($folder, 'authority');
make_certificate($folder, 'ada', issuer: $authority);
make_certificate($folder, 'stranger', issuer: make_certificate($folder, 'other'));

$server = TestServer::start(<<<CODE
    \$file = fn (string \$name) => ['ssl_cert_file' => "$folder/\$name.pem", 'ssl_key_file' => "$folder/\$name.key"];
    \$server->set(['worker_num' => 1] + \$file('default'));
    \$type = Ferrite\SOCK_TCP | Ferrite\SSL;
    \$server->listen('127.0.0.1', 0, \$type)->set([
        'ssl_sni_certs' => ['a.test' => \$file('a.test'), '*.b.test' => \$file('star')],
        'ssl_protocols' => Ferrite\SSL_TLSv1_2,
    ]);
    \$server->listen('127.0.0.1', 0, \$type)->set([
        'ssl_verify_peer' => true, 'ssl_cafile' => "$folder/authority.pem",
    ]);
    \$server->on('Request', function (\$request, \$response) {
        \$facts = array_filter(\$request->server, fn (\$key) => str_starts_with(\$key, 'ssl_client'), ARRAY_FILTER_USE_KEY);
        if (isset(\$facts['ssl_client_cert'])) {
            \$facts['ssl_client_cert'] = openssl_x509_parse(\$facts['ssl_client_cert'])['subject'];
        }
        \$response->end(\$request->server['ssl_protocol'] . json_encode(\$facts));
    });
    CODE);
foreach (['a.test', 'A.Test', 'x.b.test', 'b.test', 'x.y.b.test', 'unknown.test'] as $name) {
    echo $name, ' ', shown_name(tls_connect($server->ports[1], ['peer_name' => $name])), "\n";
}
echo shown_name(tls_connect($server->ports[1], ['SNI_enabled' => false])), "\n";
$connection = tls_connect($server->ports[1]);
$connection->request('GET', '/', ['Host' => 'a.test']);
echo $connection->response()->body, "\n";

$client = fn (string $name) => ['local_cert' => "$folder/$name.pem", 'local_pk' => "$folder/$name.key"];
$connection = tls_connect($server->ports[2], $client('ada'));
$connection->request('GET', '/');
echo $connection->response()->body, "\n";
foreach ([[], $client('stranger')] as $options) {
    try {
        // With TLS 1.3 the refusal comes behind the handshake.
        $connection = tls_connect($server->ports[2], $options);
        $connection->request('GET', '/');
        var_dump($connection->response());
    } catch (RuntimeException) {
        echo "refused\n";
    }
}
echo $server->stop(), "\n";
?>
--EXPECTF--
a.test a.test
A.Test a.test
x.b.test star
b.test default
x.y.b.test default
unknown.test default
default
TLSv1.2[]
TLSv1.3{"ssl_client_verify":"SUCCESS","ssl_client_s_dn":"CN=ada","ssl_client_cert":{"CN":"ada"}}
%r(NULL|refused)%r
%r(NULL|refused)%r
0
