--TEST--
Web: requests with content of every type, or none, and credentials of every kind leave one worker as it is, in files that are run and in callbacks
--FILE--
<?php
require __DIR__ . '/../show.inc';

$script = '<?php echo json_encode([getmypid(), $_POST, file_get_contents("php://input"), $_SERVER["PHP_AUTH_USER"] ?? $_SERVER["PHP_AUTH_DIGEST"] ?? null]);';
$form = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nx\r\n--B--\r\n";
// Content type, content, $_POST, php://input.
$contents = [
    [null, 'x', [], 'x'],
    [null, '', [], ''],
    ['', 'x', [], 'x'],
    ['application/json', '{}', [], '{}'],
    ['application/x-www-form-urlencoded', 'a=1', ['a' => '1'], 'a=1'],
    ['application/x-www-form-urlencoded', '', [], ''],
    ['multipart/form-data; boundary=B', $form, ['a' => '1'], ''],
    ['text/plain; charset=utf-8', str_repeat('y', 100_000), [], str_repeat('y', 100_000)],
];
$credentials = [null, 'Basic ' . base64_encode('joe:secret'), 'Digest username="ann"', 'Bearer x', 'Basic !'];
$users = [null, 'joe', 'username="ann"', null, null];

foreach (['files that are run', 'callbacks'] as $mode) {
    $handler = $mode === 'callbacks'
        ? '$server->on("Request", new Ferrite\Http\Web(function () { require place("index.php"); }));'
        : '$server->set(["document_root" => place(""), "script" => "index.php"]);';
    $server = TestServer::start("file_put_contents(place('index.php'), " . var_export($script, true) . ");\n"
        . '$server->set(["worker_num" => 1, "reactor_num" => 1]);' . $handler);
    $connection = $server->connect();
    $worker = json_decode($server->get('/')->body)[0];
    $wrong = [];
    for ($round = 0; $round < 20; $round++) {
        foreach ($contents as [$type, $content, $post, $input]) {
            foreach ($credentials as $index => $authorization) {
                $fields = ($type === null ? [] : ['Content-Type' => $type]) + ($authorization === null ? [] : ['Authorization' => $authorization]);
                $connection->request('POST', '/', $fields, $content);
                $body = $connection->response()->body;
                if (json_decode($body, true) !== [$worker, $post, $input, $users[$index]]) {
                    $wrong[] = substr(json_encode([$type, $authorization]) . ": $body", 0, 200);
                }
            }
        }
    }
    echo "$mode: ", $wrong === [] ? 'as they came' : count($wrong) . " wrong\n" . implode("\n", array_slice($wrong, 0, 10)), "\n";
    echo $server->stop(), "\n";
}
?>
--EXPECT--
files that are run: as they came
0
callbacks: as they came
0
