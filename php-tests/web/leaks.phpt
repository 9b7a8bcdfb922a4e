--TEST--
Web: nothing of one request is visible to the next, whatever it has done, in files that are run, in callbacks and in pulled scripts
--FILE--
<?php
require __DIR__ . '/../show.inc';

/** Starts a server with one worker in this mode, all of whose requests run the program. */
function leaking(string $mode): TestServer
{
    $program = var_export(__DIR__ . '/leaks.inc', true);
    $callback = "function () { require $program; }";
    $worker = var_export("<?php while (ferrite_handle_request($callback));", true);
    return TestServer::start(<<<CODE
        mkdir(place('sessions'));
        mkdir(place('root'));
        copy($program, place('root/index.php'));
        file_put_contents(place('worker.php'), $worker);
        \$server->set([
            'worker_num' => 1, 'reactor_num' => 1, 'reset_state' => true,
            'php_ini' => ['display_errors' => 0, 'session.save_path' => place('sessions'), 'memory_limit' => '64M'],
        ]);
        match ('$mode') {
            'classic' => \$server->set(['document_root' => place('root'), 'script' => 'index.php']),
            'callback' => \$server->on('Request', new Ferrite\Http\Web($callback)),
            'pull' => \$server->set(['worker_script' => place('worker.php')]),
        };
        CODE);
}

/** What differs, by the way to it. */
function differences(mixed $was, mixed $is, string $way = ''): array
{
    if (!is_array($was) || !is_array($is)) {
        return $was === $is ? [] : ["$way: " . json_encode($is) . ' in the place of ' . json_encode($was)];
    }
    $all = [];
    foreach (array_keys($was + $is) as $key) {
        array_push($all, ...differences($was[$key] ?? null, $is[$key] ?? null, "$way/$key"));
    }
    return $all;
}

/** The answer of `look`, and its head. */
function look(TestServer $server): array
{
    $response = $server->get('/look');
    $head = preg_replace('~^(Date|Content-Length):.*\r\n~mi', '', $response->head);
    return [$head, json_decode($response->body, true) ?? $response->body];
}

preg_match_all("~^ +case '([^']+)':~m", file_get_contents(__DIR__ . '/leaks.inc'), $cases);
$form = "--B\r\nContent-Disposition: form-data; name=post\r\n\r\nSECRET\r\n--B\r\nContent-Disposition: form-data; name=f; filename=SECRET\r\n\r\nSECRET\r\n--B--\r\n";
$fields = [
    'Content-Type' => 'multipart/form-data; boundary=B', 'Cookie' => 'cookie=SECRET', 'X-Secret' => 'SECRET',
    'Authorization' => 'Basic ' . base64_encode('SECRET:SECRET'), 'Accept-Encoding' => 'gzip',
];
foreach (['classic', 'callback', 'pull'] as $mode) {
    $server = leaking($mode);
    $clean = look($server);
    echo "$mode: ", is_array($clean[1]) ? '' : $clean[0] . $clean[1], count($cases[1]) > 40 ? 'many' : 'few', " cases\n";
    foreach ($cases[1] as $case) {
        if (str_starts_with($case, 'leaves')) {
            $connection = $server->connect();
            $connection->request('POST', "/$case?get=SECRET", $fields, $form);
            $connection->bytes(300);
            $connection->close();
        } else {
            $server->request('POST', "/$case?get=SECRET", $fields, $form);
        }
        foreach (differences($clean, look($server)) as $difference) {
            echo "$case: ", printable($difference), "\n";
        }
    }
    echo $server->stop(), "\n";
}
?>
--EXPECT--
classic: many cases
0
callback: many cases
0
pull: many cases
0
