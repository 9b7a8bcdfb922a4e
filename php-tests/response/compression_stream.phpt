--TEST--
http_compression: what write() and event() are given reaches the client at once
--SKIPIF--
<?php function_exists('inflate_init') || die('skip zlib is the decoder');
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    // Goes on only when the client says that it has seen the piece before.
    $way = trim($request->server['request_uri'], '/');
    foreach (['one', 'two', 'three'] as $piece) {
        $way === 'event' ? $response->event($piece) : $response->write("$piece\n\n");
        for ($i = 0; !file_exists(place("$way-$piece")) && $i < 2000; $i++) {
            usleep(5000);
        }
    }
    $response->end($i < 2000 ? 'last' : 'never seen');
    CODE, "'http_compression' => true, 'http_compression_types' => ['text/html', 'text/event-stream']");

foreach (['write', 'event'] as $way) {
    $connection = $server->connect();
    $connection->request('GET', "/$way", ['Accept-Encoding' => 'gzip']);
    $head = '';
    while (!str_ends_with($head, "\r\n\r\n")) {
        $head .= $connection->bytes(1);
    }
    preg_match_all('/^content-(encoding|type): .*$/mi', $head, $matches);
    echo implode(', ', array_map(trim(...), $matches[0])), "\n";
    $inflate = inflate_init(ZLIB_ENCODING_GZIP);
    do {
        $size = '';
        while (!str_ends_with($size, "\r\n")) {
            $size .= $connection->bytes(1);
        }
        $seen = inflate_add($inflate, substr($connection->bytes(hexdec(trim($size)) + 2), 0, -2));
        echo $line = str_replace("\n", ' ', $seen);
        if (preg_match('/(\w+)  $/', $line, $match)) {
            touch($server->place("$way-$match[1]"));
        }
    } while (trim($size) !== '0');
    echo "\n";
}
?>
--EXPECT--
Content-Type: text/html; charset=UTF-8, Content-Encoding: gzip
one  two  three  last
Content-Type: text/event-stream, Content-Encoding: gzip
data: one  data: two  data: three  last
