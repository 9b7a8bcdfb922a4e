--TEST--
http_compression: what write() is given reaches the client at once
--SKIPIF--
<?php function_exists('inflate_init') || die('skip zlib is the decoder');
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    // Goes on only when the client says that it has seen the piece before.
    foreach (['one', 'two', 'three'] as $piece) {
        $response->write("$piece ");
        for ($i = 0; !file_exists(place($piece)) && $i < 2000; $i++) {
            usleep(5000);
        }
    }
    $response->end($i < 2000 ? 'last' : 'never seen');
    CODE, "'http_compression' => true");

$connection = $server->connect();
$connection->request('GET', '/', ['Accept-Encoding' => 'gzip']);
$head = '';
while (!str_ends_with($head, "\r\n\r\n")) {
    $head .= $connection->bytes(1);
}
preg_match('/^content-encoding: .*$/mi', $head, $match);
echo trim($match[0]), "\n";
$inflate = inflate_init(ZLIB_ENCODING_GZIP);
do {
    $size = '';
    while (!str_ends_with($size, "\r\n")) {
        $size .= $connection->bytes(1);
    }
    echo $seen = inflate_add($inflate, substr($connection->bytes(hexdec(trim($size)) + 2), 0, -2));
    if (str_ends_with($seen, ' ')) {
        touch($server->place(trim($seen)));
    }
} while (trim($size) !== '0');
echo "\n";
?>
--EXPECT--
Content-Encoding: gzip
one two three last
