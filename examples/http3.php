<?php

// A page with many small files over HTTP/3. It shows by which protocol the browser got each of them.
//
//   php -d extension=ferrite examples/http3.php [--port PORT] [--tls-port PORT] [--workers N]
//                                               [--cert FILE --key FILE]
//
// TLS_PORT in the environment does the same as --tls-port.
//
// The handler knows nothing of HTTP/3: a port with TLS speaks it, on the UDP port of the same number.
// The browser hears of that in the first answer (Alt-Svc), so load the page a second time. Browsers
// use HTTP/3 only with a certificate that they trust: https://github.com/FiloSottile/mkcert makes
// one for this machine. Without one, Chromium does with
//
//   chromium --origin-to-force-quic-on=localhost:9543 --ignore-certificate-errors-spki-list=HASH
//
// where HASH is what this prints:
//
//   openssl s_client -connect localhost:9543 </dev/null | openssl x509 -pubkey -noout |
//       openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

const TILES = 24;
const FILES = [
    '/' => ['index.html', 'text/html; charset=utf-8'],
    '/style.css' => ['style.css', 'text/css'],
    '/page.js' => ['page.js', 'text/javascript'],
];

$options = getopt('', ['port:', 'tls-port:', 'workers:', 'cert:', 'key:']);
$workers = (int) ($options['workers'] ?? 4);
$tlsPort = $options['tls-port'] ?? getenv('TLS_PORT');

$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
$server->set(['worker_num' => $workers]);
$certificate = isset($options['cert'], $options['key'])
    ? ['ssl_cert_file' => $options['cert'], 'ssl_key_file' => $options['key']]
    : ['tls' => 'dev'];
$tls = $server->listen('127.0.0.1', (int) ($tlsPort === false ? 9543 : $tlsPort), Ferrite\SOCK_TCP | Ferrite\SSL);
$tls->set($certificate);
// Where there is IPv6, localhost is ::1 for a browser, and over UDP it does not try the other.
if (str_contains((string) @file_get_contents('/proc/net/if_inet6'), str_repeat('0', 31) . '1')) {
    $server->listen('::1', $tls->port, Ferrite\SOCK_TCP6 | Ferrite\SSL)->set($certificate);
}

$tile = function (int $number): string {
    $hue = intdiv(360 * $number, TILES);
    return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>"
        . "<rect width='1' height='1' fill='hsl($hue 70% 55%)'/></svg>";
};

$server->on('Request', function (Request $request, Response $response) use ($tile): void {
    $path = $request->server['path_info'];
    $response->header('Cache-Control', 'no-store');
    if (isset(FILES[$path])) {
        [$file, $type] = FILES[$path];
        $response->header('Content-Type', $type);
        $response->sendfile(__DIR__ . "/http3/$file");
    } elseif (preg_match('~^/tile/(\d{1,2})\.svg$~', $path, $match) && $match[1] < TILES) {
        $response->header('Content-Type', 'image/svg+xml');
        $response->end($tile((int) $match[1]));
    } else {
        $response->status(404);
        $response->end("Nothing is here.\n");
    }
});

$server->start();
