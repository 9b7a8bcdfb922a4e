--TEST--
Web: output_buffering and zlib.output_compression hold for each request, in files that are run, in callbacks and in pulled scripts
--EXTENSIONS--
zlib
--FILE--
<?php
require __DIR__ . '/web.inc';
require __DIR__ . '/../classic/classic.inc';
require __DIR__ . '/../pull/pull.inc';

$page = <<<'PHP'
    echo 'page '; header('X-Late: ' . ob_get_level());
    $_SERVER['QUERY_STRING'] === 'long' && print(str_repeat('x', 5000));
    echo @header('X-Later: 1') ?? (headers_sent() ? 'sent' : 'not sent');
    if ($_SERVER['QUERY_STRING'] === 'exit') { exit; }
    PHP;
foreach (['classic', 'callback', 'pull'] as $mode) {
    $start = fn (string $ini) => match ($mode) {
        'classic' => classic(['index.php' => "<?php\n$page"], "'php_ini' => [$ini]"),
        'callback' => web($page, "'php_ini' => [$ini]"),
        'pull' => pull("while (ferrite_handle_request(function () { $page }));", "'php_ini' => [$ini]"),
    };
    echo "$mode:\n";
    $server = $start("'output_buffering' => '4096', 'display_errors' => '1'");
    foreach (['', 'exit', 'long', ''] as $query) {
        $response = $server->get("/?$query");
        echo $response->header('X-Late'), ' ', $response->header('X-Later') ?? 'too late', ' ', str_replace(str_repeat('x', 5000), 'long ', $response->body), "\n";
    }
    echo $server->stop(), "\n";
    $server = $start("'zlib.output_compression' => 'On', 'output_buffering' => '0', 'display_errors' => '0'");
    foreach (['gzip', null, 'gzip', null] as $coding) {
        $response = $server->get('/?long', $coding === null ? [] : ['Accept-Encoding' => $coding]);
        $content = $coding === null ? $response->body : gzdecode($response->body);
        echo $response->header('Content-Encoding') ?? 'plain', ' ', strlen($content), "\n";
    }
    echo $server->stop(), "\n";
}
?>
--EXPECT--
classic:
1 1 page not sent
1 1 page not sent
1 too late page long sent
1 1 page not sent
0
gzip 5013
plain 5009
gzip 5013
plain 5009
0
callback:
1 1 page not sent
1 1 page not sent
1 too late page long sent
1 1 page not sent
0
gzip 5013
plain 5009
gzip 5013
plain 5009
0
pull:
1 1 page not sent
1 1 page not sent
1 too late page long sent
1 1 page not sent
0
gzip 5013
plain 5009
gzip 5013
plain 5009
0
