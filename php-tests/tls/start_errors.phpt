--TEST--
Certificates that cannot be used are exceptions of start(), with file and reason
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl makes the certificates');
--FILE--
<?php
require __DIR__ . '/../server.inc';
require __DIR__ . '/tls.inc';

use Ferrite\Http\Server;

$folder = certificate_folder();
make_certificate($folder, 'good');
make_certificate($folder, 'other');
make_certificate($folder, 'old', days: 0);
$made = time();
make_certificate($folder, 'secret', passphrase: 'open sesame');
file_put_contents("$folder/text.pem", "no certificate\n");

function attempt(array $settings, int $type = Ferrite\SOCK_TCP | Ferrite\SSL): void
{
    global $folder;
    $server = new Server('127.0.0.1', 0, Ferrite\PROCESS, $type);
    $server->on('Request', fn () => null);
    $server->on('Start', fn ($server) => $server->shutdown());
    try {
        $server->set($settings + ['worker_num' => 1, 'banner' => false, 'log_level' => Ferrite\LOG_WARNING]);
        $server->start();
        echo "it started\n";
    } catch (Ferrite\Exception | Error $error) {
        echo str_replace([$folder, (string) $server->port], ['FOLDER', 'PORT'], $error->getMessage()), "\n";
    }
}

function files(string $certificate, string $key): array
{
    global $folder;
    return ['ssl_cert_file' => "$folder/$certificate", 'ssl_key_file' => "$folder/$key"];
}

attempt([]);
attempt(['ssl_cert_file' => "$folder/good.pem"]);
attempt(files('none.pem', 'good.key'));
attempt(files('good.pem', 'none.key'));
attempt(files('text.pem', 'good.key'));
attempt(files('good.pem', 'good.pem'));
attempt(files('good.pem', 'other.key'));
wait_until(fn () => time() > $made + 1, 'the certificate expires');
attempt(files('old.pem', 'old.key'));
attempt(files('secret.pem', 'secret.key'));
attempt(files('secret.pem', 'secret.key') + ['ssl_passphrase' => 'swordfish']);
attempt(files('good.pem', 'good.key') + ['ssl_ciphers' => 'EECDH+AESGCM:NOTHING']);
attempt(files('good.pem', 'good.key') + ['ssl_ciphers' => 'EDH+AESGCM:RC4']);
attempt(files('good.pem', 'good.key') + ['ssl_stapling_file' => "$folder/text.pem"]);
attempt(files('good.pem', 'good.key') + ['ssl_verify_peer' => true]);
attempt(files('good.pem', 'good.key') + ['ssl_sni_certs' => ['a.test' => files('good.pem', 'other.key')]]);
attempt(files('good.pem', 'good.key'), Ferrite\SOCK_TCP);
attempt(['ssl_protocols' => 4]);
attempt(['tls' => 'prod']);
attempt(['ssl_sni_certs' => ['a.test' => 'file']]);
attempt(files('secret.pem', 'secret.key') + ['ssl_passphrase' => 'open sesame']);
?>
--EXPECTF--
TLS on 127.0.0.1:PORT: a port with SSL needs ssl_cert_file and ssl_key_file; for development, set tls to 'dev'
TLS on 127.0.0.1:PORT: ssl_cert_file and ssl_key_file belong together
TLS on 127.0.0.1:PORT: ssl_cert_file FOLDER/none.pem: cannot be read: No such file or directory (os error 2)
TLS on 127.0.0.1:PORT: ssl_key_file FOLDER/none.key: cannot be read: No such file or directory (os error 2)
TLS on 127.0.0.1:PORT: ssl_cert_file FOLDER/text.pem: holds no certificate in PEM%S
TLS on 127.0.0.1:PORT: ssl_key_file FOLDER/good.pem: holds no private key in PEM%S
TLS on 127.0.0.1:PORT: ssl_key_file FOLDER/other.key: the key does not belong to the certificate FOLDER/good.pem
TLS on 127.0.0.1:PORT: ssl_cert_file FOLDER/old.pem: the certificate expired on %s
TLS on 127.0.0.1:PORT: ssl_key_file FOLDER/secret.key: the key is encrypted: ssl_passphrase is needed
TLS on 127.0.0.1:PORT: ssl_key_file FOLDER/secret.key: ssl_passphrase does not decrypt the key
TLS on 127.0.0.1:PORT: ssl_ciphers: 'NOTHING' names no cipher suites; write names and classes as OpenSSL has them, such as ECDHE-RSA-AES128-GCM-SHA256 or EECDH+AESGCM, separated by colons
TLS on 127.0.0.1:PORT: ssl_ciphers: the server serves none of them; it has suites with ECDHE and AES-GCM or ChaCha20-Poly1305, such as ECDHE-RSA-AES128-GCM-SHA256
TLS on 127.0.0.1:PORT: ssl_stapling_file FOLDER/text.pem: holds no successful OCSP response in DER
TLS on 127.0.0.1:PORT: ssl_verify_peer needs ssl_client_cert_file: the authorities of clients' certificates
TLS on 127.0.0.1:PORT: ssl_sni_certs: FOLDER/other.key: the key does not belong to the certificate FOLDER/good.pem
A certificate is set, but no port speaks TLS: add the SSL flag to its socket type
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'ssl_protocols' must be 0 or a sum of SSL_TLSv1_2, SSL_TLSv1_3, 4 given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'tls' must be 'dev' or '', "prod" given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'ssl_sni_certs' must be an array of server name => ['ssl_cert_file' => file, 'ssl_key_file' => file], an array of 1 given
it started
