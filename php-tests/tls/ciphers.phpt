--TEST--
ssl_ciphers takes the lists that were written for Swoole and nginx, and says which suites are left
--SKIPIF--
<?php extension_loaded('openssl') || die('skip the client speaks TLS by openssl');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

/** What a client with these suites agrees on. */
function agreed(TestServer $server, string $ciphers): string
{
    try {
        $client = tls_connect($server->ports[1], [
            'ciphers' => $ciphers,
            'crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT,
        ]);
        return stream_get_meta_data($client->socket)['crypto']['cipher_name'];
    } catch (RuntimeException) {
        return 'nothing';
    }
}

foreach ([
    'Swoole' => 'EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH',
    'nginx' => 'HIGH:!aNULL:!MD5',
    'ours' => '',
] as $whose => $ciphers) {
    $server = TestServer::start(<<<CODE
        \$server->set(['worker_num' => 1]);
        \$port = \$server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
        \$port->set(['tls' => 'dev', 'ssl_ciphers' => '$ciphers']);
        \$server->on('Request', fn (\$request, \$response) => \$response->end());
        CODE);
    echo "$whose: ", agreed($server, 'ECDHE-ECDSA-AES256-GCM-SHA384'), ', ';
    echo agreed($server, 'ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0'), "\n";
    $server->stop();
}
?>
--EXPECT--
Swoole: ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-ECDSA-AES256-SHA
nginx: ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-ECDSA-AES256-SHA
ours: ECDHE-ECDSA-AES256-GCM-SHA384, nothing
