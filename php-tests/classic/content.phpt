--TEST--
script: forms, uploads, php://input and cookies; large content is read from its file, without a copy in memory
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    echo json_encode(['get' => $_GET, 'post' => $_POST, 'cookie' => $_COOKIE, 'request' => $_REQUEST]), "\n";
    foreach ($_FILES as $name => $file) {
        $to = __DIR__ . "/moved-$name";
        $stored = array_map(fn ($descriptor) => @stat($descriptor)['ino'] ?? null, glob('/proc/self/fd/*'));
        echo in_array(fileinode($file['tmp_name']), $stored, true) ? 'as it was stored, ' : '';
        echo "$name: $file[name] $file[error] $file[size] ", is_uploaded_file($file['tmp_name']) ? 'uploaded ' : '',
            $_GET['move'] ? var_export(move_uploaded_file($file['tmp_name'], $to), true) . ' ' . md5_file($to) : '', "\n";
    }
    PHP, 'input.php' => <<<'PHP'
    <?php
    $in = fopen('php://input', 'rb');
    $hash = hash_init('md5');
    for ($bytes = 0; !feof($in); $bytes += strlen($piece)) {
        hash_update($hash, $piece = fread($in, 8192));
    }
    rewind($in);
    $again = stream_get_contents($in, 3);
    $other = fopen('php://input', 'rb');
    fseek($other, -3, SEEK_END);
    echo "$bytes ", hash_final($hash), " $again ", fread($other, 10), ' ', memory_get_peak_usage(true) <= 2 << 20 ? 'small' : memory_get_peak_usage(true), "\n";
    PHP], "'package_max_length' => '32M', 'php_ini' => ['post_max_size' => '16M', 'upload_max_filesize' => '8M']");
$form = ['Content-Type' => 'application/x-www-form-urlencoded', 'Cookie' => 'a=1; b[x]=2'];
echo $server->request('POST', '/?q[]=1', $form, 'x=1&y[z]=2')->body;
$large = random_bytes(3 << 20);
$part = fn (string $name, string $content) => "--B\r\nContent-Disposition: form-data; name=$name; filename=$name.bin\r\n\r\n$content\r\n";
$multipart = ['Content-Type' => 'multipart/form-data; boundary=B'];
$body = $part('small', 'small file') . $part('large', $large) . "--B\r\nContent-Disposition: form-data; name=field\r\n\r\nvalue\r\n--B--\r\n";
foreach ([0, 1] as $move) {
    echo str_replace([md5('small file'), md5($large)], ['SMALL', 'LARGE'], $server->request('POST', "/?move=$move", $multipart, $body)->body);
}
echo 'left: ', count(glob(sys_get_temp_dir() . "/ferrite-uploads-$server->pid-*")), "\n";
$json = ['Content-Type' => 'application/json'];
$large = 'abc' . str_repeat(random_bytes(1 << 16), 100) . 'xyz';
foreach ([['POST', $json], ['PUT', $json], ['PATCH', []], ['POST', ['Content-Type' => 'text/plain']]] as [$method, $fields]) {
    echo str_replace(md5($large), 'MD5', $server->request($method, '/input.php', $fields, $large)->body);
}
echo str_replace(md5('small'), 'MD5', $server->request('POST', '/input.php', $json, 'small')->body);
echo $server->request('POST', '/input.php', $json, str_repeat('x', 17 << 20))->status, "\n";
echo $server->get('/')->body;
echo $server->stop(), "\n";
?>
--EXPECT--
{"get":{"q":["1"]},"post":{"x":"1","y":{"z":"2"}},"cookie":{"a":"1","b":{"x":"2"}},"request":{"q":["1"],"x":"1","y":{"z":"2"},"a":"1","b":{"x":"2"}}}
{"get":{"move":"0"},"post":{"field":"value"},"cookie":[],"request":{"move":"0","field":"value"}}
small: small.bin 0 10 uploaded 
as it was stored, large: large.bin 0 3145728 uploaded 
{"get":{"move":"1"},"post":{"field":"value"},"cookie":[],"request":{"move":"1","field":"value"}}
small: small.bin 0 10 uploaded true SMALL
as it was stored, large: large.bin 0 3145728 uploaded true LARGE
left: 0
6553606 MD5 abc xyz small
6553606 MD5 abc xyz small
6553606 MD5 abc xyz small
6553606 MD5 abc xyz small
5 MD5 sma all small
200
{"get":[],"post":[],"cookie":[],"request":[]}
0
