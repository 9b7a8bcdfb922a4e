--TEST--
Behind a trusted proxy $request->server and the field host tell of the client
--FILE--
<?php
require __DIR__ . '/../show.inc';

const SHOW = <<<'CODE'
    $facts = array_intersect_key($request->server, array_flip(
        ['remote_addr', 'remote_port', 'request_scheme', 'https', 'server_port']));
    $facts['server_port'] = $facts['server_port'] === $GLOBALS['server']->port ? 'own' : $facts['server_port'];
    $facts['remote_port'] = $facts['remote_port'] > 40 && $facts['remote_addr'] === '127.0.0.1' ? 'own' : $facts['remote_port'];
    $response->end(json_encode($facts + ['host' => $request->header['host']], JSON_UNESCAPED_SLASHES));
    CODE;

function behind(array $options): TestServer
{
    $options = var_export($options, true);
    return TestServer::start("\$server->set(['worker_num' => 1] + $options);
        \$server->on('Request', function (\$request, \$response) {" . SHOW . "});");
}

$headers = [
    'Host' => 'in.example',
    'X-Forwarded-For' => '6.6.6.6, 192.0.2.1, 127.0.0.9',
    'X-Forwarded-Proto' => 'https',
    'X-Forwarded-Host' => 'shop.example',
];
echo "trusted\n";
$server = behind(['trusted_proxies' => ['private_ranges']]);
foreach ([$headers, $headers + ['X-Forwarded-Port' => '8443'],
    ['Forwarded' => 'for="[2001:db8::1]:4711";proto=https;host=shop.example'],
    ['X-Forwarded-For' => 'unknown'], ['Host' => 'in.example'],
    ['Forwarded' => 'for=1.2.3.4', 'X-Forwarded-For' => '1.2.3.5'], ['Forwarded' => 'for="']] as $sent) {
    $response = $server->get('/', $sent);
    echo $response->status === 200 ? $response->body : "$response->status", "\n";
}
$server->waitForLog('/400: Forwarded and X-Forwarded-\* of a trusted proxy differ/');
unset($server);

echo "not trusted\n";
$server = behind(['trusted_proxies' => '192.0.2.0/24, unix:']);
echo $server->get('/', $headers)->body, "\n";
unset($server);

echo "one of the two\n";
$both = ['Forwarded' => 'for=192.0.2.2', 'X-Forwarded-For' => '192.0.2.1'];
foreach (['forwarded', 'x-forwarded'] as $which) {
    $server = behind(['trusted_proxies' => ['127.0.0.1'], 'forwarded_headers' => $which]);
    echo $server->get('/', $both)->body, "\n";
}

echo "PROXY protocol\n";
$server = behind(['trusted_proxies' => ['127.0.0.1'], 'proxy_protocol' => true]);
$connection = $server->connect();
$connection->send("PROXY TCP4 192.0.2.1 198.51.100.1 40 443\r\n");
$connection->request('GET', '/', $headers);
echo $connection->response()->body, "\n";
$connection = $server->connect();
$connection->request('GET', '/');
var_dump($connection->rest());
$server->waitForLog('/closed a connection of proxy 127.0.0.1:\d+: no PROXY header; have it send/');

echo "mistakes\n";
foreach ([['trusted_proxies' => ['10.0.0.0/40']], ['trusted_proxies' => "127.0.0.1, a\n\"b"], ['trusted_proxies' => ['unix:', 'localhost']], ['trusted_proxies' => [1]], ['trusted_proxies' => 1],
    ['forwarded_headers' => 'via'], ['proxy_protocol' => 'v1']] as $options) {
    try {
        (new Ferrite\Http\Server('127.0.0.1', 0))->set($options);
    } catch (Throwable $error) {
        echo $error::class, ': ', $error->getMessage(), "\n";
    }
}
$server = new Ferrite\Http\Server('127.0.0.1', 0);
$server->set(['proxy_protocol' => true]);
$server->on('Request', fn () => null);
try {
    $server->start();
} catch (Ferrite\Exception $error) {
    echo str_replace((string) $server->port, 'PORT', $error->getMessage()), "\n";
}
?>
--EXPECT--
trusted
{"request_scheme":"https","server_port":443,"remote_port":0,"remote_addr":"192.0.2.1","https":"on","host":"shop.example"}
{"request_scheme":"https","server_port":8443,"remote_port":0,"remote_addr":"192.0.2.1","https":"on","host":"shop.example"}
{"request_scheme":"https","server_port":443,"remote_port":4711,"remote_addr":"2001:db8::1","https":"on","host":"shop.example"}
{"request_scheme":"http","server_port":"own","remote_port":"own","remote_addr":"127.0.0.1","host":"localhost"}
{"request_scheme":"http","server_port":"own","remote_port":"own","remote_addr":"127.0.0.1","host":"in.example"}
400
400
not trusted
{"request_scheme":"http","server_port":"own","remote_port":"own","remote_addr":"127.0.0.1","host":"in.example"}
one of the two
{"request_scheme":"http","server_port":"own","remote_port":0,"remote_addr":"192.0.2.2","host":"localhost"}
{"request_scheme":"http","server_port":"own","remote_port":0,"remote_addr":"192.0.2.1","host":"localhost"}
PROXY protocol
{"request_scheme":"http","server_port":443,"remote_port":40,"remote_addr":"192.0.2.1","host":"in.example"}
string(0) ""
mistakes
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'trusted_proxies' must be an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:', and "10.0.0.0/40" is none of these
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'trusted_proxies' must be an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:', and "a\n\"b" is none of these
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'trusted_proxies' must be an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:', and "localhost" is none of these
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'trusted_proxies' must be an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:', an array of 1 given
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'trusted_proxies' must be an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:', 1 given
ValueError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'forwarded_headers' must be 'forwarded', 'x-forwarded' or '', "via" given
TypeError: Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'proxy_protocol' must be true or false, "v1" given
proxy_protocol is on for 127.0.0.1:PORT, but no proxy is trusted: name the addresses that may send it in trusted_proxies
