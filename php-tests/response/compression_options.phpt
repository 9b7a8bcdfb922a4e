--TEST--
http_compression: level, least length and media types are options, also of a port alone
--SKIPIF--
<?php function_exists('gzdecode') || die('skip zlib is the decoder');
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1]);
    $server->on('Request', function ($request, $response) {
        $response->header('Content-Type', $request->get['type']);
        for ($content = '', $i = 0; strlen($content) < (int) $request->get['bytes']; $i++) {
            $content .= $i < 10 ? 'item item item item ' : "<li class=\"item\"><a href=\"/item/" . $i * 7919 % 1009 . "\">Item $i</a></li>\n";
        }
        $response->end(substr($content, 0, (int) $request->get['bytes']));
    });
    foreach ([1, 9] as $level) {
        $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP)->set([
            'http_compression' => true,
            'http_compression_level' => $level,
            'compression_min_length' => 100,
            'http_compression_types' => ['Text/X-Own'],
        ]);
    }
    CODE);

function ask(int $port, string $type, int $bytes, string $accept = 'gzip'): TestResponse
{
    $connection = new TestConnection(stream_socket_client("tcp://127.0.0.1:$port"));
    $connection->request('GET', "/?type=$type&bytes=$bytes", ['Accept-Encoding' => $accept]);
    return $connection->response();
}

[$off, $fast, $small] = $server->ports;
foreach ([[$off, 'text/html', 5000], [$fast, 'text/html', 5000], [$fast, 'text/x-own', 99], [$fast, 'text/x-own', 100], [$fast, 'TEXT/X-OWN;a=b', 5000]] as $case) {
    $response = ask(...$case);
    var_dump($response->header('content-encoding') ?? strlen($response->body));
}
foreach (['gzip', 'br', 'zstd'] as $coding) {
    $more = ask($fast, 'text/x-own', 50000, $coding);
    $less = ask($small, 'text/x-own', 50000, $coding);
    var_dump($more->header('content-encoding'), strlen($less->body) < strlen($more->body));
}
foreach ([['http_compression_level' => 10], ['http_compression_level' => -1], ['compression_min_length' => -1], ['http_compression' => 'maybe'], ['http_compression_types' => 'text/html']] as $options) {
    try {
        (new Ferrite\Http\Server('127.0.0.1', 0))->set($options);
        echo "taken\n";
    } catch (ValueError | TypeError $error) {
        echo $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
int(5000)
int(5000)
int(99)
string(4) "gzip"
string(4) "gzip"
string(4) "gzip"
bool(true)
string(2) "br"
bool(true)
string(4) "zstd"
bool(true)
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'http_compression_level' must be an int from 0 to 9, 10 given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'http_compression_level' must be an int from 0 to 9, -1 given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'compression_min_length' must be bytes from 0 to 1024G, -1 given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'http_compression' must be true or false, "maybe" given
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Option 'http_compression_types' must be an array of strings without control characters, "text/html" given
