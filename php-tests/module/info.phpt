--TEST--
phpinfo() and the constants say what was built
--FILE--
<?php
ob_start();
(new ReflectionExtension('ferrite'))->info();
echo ob_get_clean();
foreach ((new ReflectionExtension('ferrite'))->getINIEntries() as $name => $value) {
    echo "$name=$value\n";
}
var_dump(phpversion('ferrite') === Ferrite\VERSION);
[$major, $minor, $patch] = explode('.', Ferrite\VERSION);
var_dump($major * 10000 + $minor * 100 + $patch === Ferrite\VERSION_ID);
foreach (['SOCK_TCP', 'SOCK_UDP', 'SOCK_TCP6', 'SOCK_UDP6', 'SOCK_UNIX_STREAM', 'SOCK_UNIX_DGRAM', 'SSL',
    'SSL_TLSv1_2', 'SSL_TLSv1_3',
    'BASE', 'PROCESS', 'LOG_DEBUG', 'LOG_TRACE', 'LOG_INFO', 'LOG_NOTICE', 'LOG_WARNING', 'LOG_ERROR', 'LOG_NONE']
    as $name) {
    echo $name, ' ', constant("Ferrite\\$name"), "\n";
}
?>
--EXPECTF--
ferrite

Ferrite => enabled
Version => %d.%d.%d
Protocols => HTTP/1.0, HTTP/1.1, HTTP/2, HTTP/3
Sockets => TCP (IPv4, IPv6), Unix stream
TLS => 1.2, 1.3 (BoringSSL)
Built for PHP API => %d
Thread safety => NTS
Debug build of PHP => no

Directive => Local Value => Master Value
ferrite.banner => 1 => 1
ferrite.colors => auto => auto
ferrite.swoole_aliases => 0 => 0
ferrite.banner=1
ferrite.colors=auto
ferrite.swoole_aliases=0
bool(true)
bool(true)
SOCK_TCP 1
SOCK_UDP 2
SOCK_TCP6 3
SOCK_UDP6 4
SOCK_UNIX_STREAM 5
SOCK_UNIX_DGRAM 6
SSL 512
SSL_TLSv1_2 16
SSL_TLSv1_3 32
BASE 1
PROCESS 2
LOG_DEBUG 0
LOG_TRACE 1
LOG_INFO 2
LOG_NOTICE 3
LOG_WARNING 4
LOG_ERROR 5
LOG_NONE 6
