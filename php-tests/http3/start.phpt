--TEST--
HTTP/3 has the UDP port of its number, or says what is wrong
--SKIPIF--
<?php extension_loaded('openssl') || die('skip openssl is the client');
--FILE--
<?php
require __DIR__ . '/../server.inc';

use Ferrite\Http\Server;

function attempt(array $settings, ?Closure $before = null): void
{
    $server = new Server('127.0.0.1', 0, Ferrite\PROCESS, Ferrite\SOCK_TCP | Ferrite\SSL);
    $kept = $before?->__invoke($server->port);
    $server->on('Request', fn () => null);
    $server->on('Start', fn ($server) => $server->shutdown());
    try {
        $server->set($settings + ['tls' => 'dev', 'worker_num' => 1, 'banner' => false, 'log_level' => Ferrite\LOG_WARNING]);
        $server->start();
        echo "it started\n";
    } catch (Ferrite\Exception | Error $error) {
        echo str_replace((string) $server->port, 'PORT', $error->getMessage()), "\n";
    }
}

$taken = fn (int $port) => stream_socket_server("udp://127.0.0.1:$port", $code, $message, STREAM_SERVER_BIND);
attempt([]);
attempt([], $taken);
attempt(['open_http3_protocol' => false], $taken);
// Without TLS 1.3 there is no QUIC.
attempt(['ssl_protocols' => Ferrite\SSL_TLSv1_2], $taken);
attempt(['http3_qlog_dir' => '/nonexistent']);
attempt(['http3_qlog_dir' => __FILE__]);
attempt(['http3_qlog_dir' => sys_get_temp_dir()]);
attempt(['http3_congestion_control' => 'bbr2', 'http3_retry' => 'always', 'http3_early_data' => true]);
attempt(['http3_congestion_control' => 'reno']);
attempt(['http3_retry' => 'never']);
attempt(['http3_max_concurrent_streams' => 0]);
attempt(['http3_alt_svc_max_age' => -1]);
attempt(['open_http3_protocl' => true]);
?>
--EXPECTF--
it started
Cannot listen on UDP 127.0.0.1:PORT for HTTP/3: the address is in use by another process (open_http3_protocol turns HTTP/3 off)
it started
it started
%r.*%rwrite to http3_qlog_dir /nonexistent%r.*No such file.*%r
%r.*%rwrite to http3_qlog_dir %sstart.php%r.*%r
it started
it started
%sOption 'http3_congestion_control' must be 'cubic', 'bbr2' or '', "reno" given
%sOption 'http3_retry' must be 'auto', 'always' or '', "never" given
%sOption 'http3_max_concurrent_streams' must be an int from 1 to 10000, 0 given
%sOption 'http3_alt_svc_max_age' must be %s, -1 given
%sUnknown option 'open_http3_protocl', did you mean 'open_http3_protocol'?
