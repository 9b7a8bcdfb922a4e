--TEST--
script, http_compression: what a script prints is compressed, and what it flushes is there at once
--SKIPIF--
<?php function_exists('inflate_init') || die('skip zlib is the decoder');
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    header_remove('X-Powered-By');
    switch ($_GET['case'] ?? '') {
        case 'page': header('ETag: "a"'); header('Vary: Origin'); header('Accept-Ranges: bytes'); echo str_repeat('<p>A page.</p>', 1000); break;
        case 'large': for ($i = 0; $i < 100000; $i++) { echo '<p>A page.</p>'; } break;
        case 'short': echo 'short'; break;
        case 'length': header('Content-Length: 140000'); for ($i = 0; $i < 10000; $i++) { echo '<p>A page.</p>'; } break;
        case 'less': header('Content-Length: 1400000'); for ($i = 0; $i < 10000; $i++) { echo '<p>A page.</p>'; } break;
        case 'own': ob_start('ob_gzhandler'); echo str_repeat('<p>A page.</p>', 1000); break;
        case 'none': http_response_code(204); break;
        case 'cached': http_response_code(304); header('ETag: "a"'); break;
        case 'part': http_response_code(206); header('Content-Range: bytes 0-13999/20000'); echo str_repeat('<p>A page.</p>', 1000); break;
        case 'image': header('Content-Type: image/png'); echo str_repeat('<p>A page.</p>', 1000); break;
        case 'pieces':
            foreach (['one', 'two', 'three'] as $piece) {
                echo "$piece ";
                flush();
                for ($i = 0; !file_exists(__DIR__ . "/../$piece") && $i < 2000; $i++) {
                    usleep(5000);
                    clearstatcache();
                }
            }
            echo $i < 2000 ? 'last' : 'never seen';
            break;
    }
    PHP], "'http_compression' => true");

foreach (['page', 'large', 'short', 'length', 'less', 'own', 'none', 'cached', 'part', 'image'] as $case) {
    foreach (['GET', 'HEAD'] as $method) {
        $response = $server->request($method, "/?case=$case", ['Accept-Encoding' => 'gzip']);
        $fields = [];
        foreach (['Content-Encoding', 'Vary', 'ETag', 'Accept-Ranges', 'Transfer-Encoding'] as $name) {
            if (null !== $value = $response->header($name)) {
                $fields[] = "$name: $value";
            }
        }
        $length = $response->header('Content-Length');
        $fields[] = $length === null ? 'no length' : ((int) $length === strlen($response->body) ? 'its length' : "a length");
        $body = $response->body;
        if ($body !== '' && $response->header('Content-Encoding') === 'gzip') {
            $inflate = inflate_init(ZLIB_ENCODING_GZIP);
            $body = inflate_add($inflate, $body);
            $fields[] = inflate_get_status($inflate) === ZLIB_STREAM_END ? 'whole' : 'cut off';
        }
        echo "$method $case: $response->status ", implode(' | ', $fields), ' | ', strlen($body), ' ', substr($body, 0, 14), "\n";
    }
}

$connection = $server->connect();
$connection->request('GET', '/?case=pieces', ['Accept-Encoding' => 'gzip']);
$head = '';
while (!str_ends_with($head, "\r\n\r\n")) {
    $head .= $connection->bytes(1);
}
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
echo "\n", $server->stop(), "\n";
?>
--EXPECT--
GET page: 200 Content-Encoding: gzip | Vary: Origin, Accept-Encoding | ETag: W/"a" | its length | whole | 14000 <p>A page.</p>
HEAD page: 200 Content-Encoding: gzip | Vary: Origin, Accept-Encoding | ETag: W/"a" | no length | 0 
GET large: 200 Content-Encoding: gzip | Vary: Accept-Encoding | Transfer-Encoding: chunked | no length | whole | 1400000 <p>A page.</p>
HEAD large: 200 Content-Encoding: gzip | Vary: Accept-Encoding | no length | 0 
GET short: 200 its length | 5 short
HEAD short: 200 Content-Encoding: gzip | Vary: Accept-Encoding | no length | 0 
GET length: 200 Content-Encoding: gzip | Vary: Accept-Encoding | Transfer-Encoding: chunked | no length | whole | 140000 <p>A page.</p>
HEAD length: 200 Content-Encoding: gzip | Vary: Accept-Encoding | no length | 0 
GET less: 200 Content-Encoding: gzip | Vary: Accept-Encoding | Transfer-Encoding: chunked | no length | cut off | 131096 <p>A page.</p>
HEAD less: 200 Content-Encoding: gzip | Vary: Accept-Encoding | no length | 0 
GET own: 200 Content-Encoding: gzip | Vary: Accept-Encoding | its length | whole | 14000 <p>A page.</p>
HEAD own: 200 Content-Encoding: gzip | Vary: Accept-Encoding | no length | 0 
GET none: 204 no length | 0 
HEAD none: 204 no length | 0 
GET cached: 304 Vary: Accept-Encoding | ETag: W/"a" | no length | 0 
HEAD cached: 304 Vary: Accept-Encoding | ETag: W/"a" | no length | 0 
GET part: 206 its length | 14000 <p>A page.</p>
HEAD part: 206 no length | 0 
GET image: 200 its length | 14000 <p>A page.</p>
HEAD image: 200 no length | 0 
one two three last
0
