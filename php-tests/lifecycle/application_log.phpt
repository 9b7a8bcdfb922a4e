--TEST--
Ferrite\log(): an application's lines go where the server's own go, with the id of the request, within bounds
--FILE--
<?php
require __DIR__ . '/../server.inc';

// In every process of a server, and in the script before it.
$script = fn (string $set, string $request) => TestServer::script(<<<CODE
    Ferrite\\log('notice', 'before', ['in' => 'script']);
    \$server = new Ferrite\\Http\\Server('127.0.0.1', 0);
    \$server->set(['worker_num' => 1, 'log_format' => 'json', 'request_id_response' => true, $set]);
    \$server->on('Start', function (\$server) { Ferrite\\log('info', 'started'); ready(\$server); });
    \$server->on('WorkerStart', fn () => Ferrite\\log('info', 'worker'));
    \$server->on('Shutdown', fn () => Ferrite\\log('alert', 'shut down'));
    $request
    \$server->start();
    CODE);
$said = function (TestServer $server, string $message): array {
    wait_until(function () use ($server, $message, &$found) {
        foreach (explode("\n", $server->log()) as $line) {
            $object = json_decode($line, true);
            if (($object['event'] ?? '') === 'application' && str_starts_with($object['message'], $message)) {
                return (bool) $found = $object;
            }
        }
        return false;
    }, "the log has $message");
    return $found;
};
$show = fn (array $line) => implode(' ', [$line['process']['role'], $line['level'], $line['severity'], addcslashes($line['message'], "\0..\37"),
    json_encode($line['context'] ?? null), isset($line['request_id']) ? 'id' : 'no id']);

$server = $script('', <<<'CODE'
    $server->on('Connect', fn () => Ferrite\log('info', 'connected'));
    $server->on('Request', function ($request, $response) {
        switch ($request->server['request_uri']) {
            case '/context':
                $loop = ['in' => 1];
                $loop['self'] = &$loop;
                $deep = 'deep';
                for ($i = 0; $i < 100; $i++) { $deep = [$deep]; }
                Ferrite\log('warning', 'context', ['loop' => $loop, 'deep' => $deep, 'float' => 0.5, 'nan' => NAN, 'null' => null,
                    'list' => [1, 'two', true], 'error' => new LogicException('oh', 0, new RuntimeException('cause')),
                    'object' => new ArrayObject(['hidden']), 'none' => [], 'file' => STDERR, "bad\xff" => "\xfe"]);
                break;
            case '/long':
                Ferrite\log('error', 'long' . str_repeat('x', 1 << 20), ['key' . str_repeat('k', 1 << 16) => str_repeat("\1", 1 << 16), 'next' => array_fill(0, 1 << 16, 'x')]);
                break;
            default:
                Ferrite\log('critical', "first\nsecond \x1b[31m \"quoted\"", ['user' => 7]);
        }
        $response->end('ok');
    });
    CODE);
$id = $server->get('/')->header('x-request-id');
echo preg_replace('/^\S+|\[\d+\] /', '', $server->waitForLog('/.*before.*/')[0]), "\n";
foreach (['started', 'worker', 'connected', 'first'] as $message) {
    echo $show($said($server, $message)), "\n";
}
echo $said($server, 'first')['request_id'] === $id ? "the request's\n" : "another\n";
$server->get('/context');
foreach ($said($server, 'context')['context'] as $key => $value) {
    echo "$key: ", preg_replace('~"/[^"]*/~', '"/', json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE)), "\n";
}
$server->get('/long');
$long = $said($server, 'long');
echo strlen($long['message']), ' ', strlen(json_encode($long['context'])) < 20_000 ? 'bounded' : 'unbounded', "\n";
echo max(array_map(strlen(...), explode("\n", $server->log()))) <= 65536 ? "bounded\n" : "unbounded\n";
$server->stop();
echo $show($said($server, 'shut down')), "\n";

// As text; nobody can forge a line.
$server = $script("'log_format' => 'text', 'log_level' => Ferrite\\LOG_WARNING", <<<'CODE'
    $server->on('Request', function ($request, $response) {
        Ferrite\log('info', 'not this one');
        Ferrite\log('emergency', "one\n2026-01-01T00:00:00.000Z ERROR reactor [1] forged \x1b[2J \u{9b}31m \u{202e}", ['a' => "b\n"]);
        $response->end($response === null ? '' : 'ok');
    });
    CODE);
$id = $server->get('/')->header('x-request-id');
$line = $server->waitForLog('/.*forged.*/')[0];
echo preg_replace(['/^\S+/', '/\[\d+\]/', "/$id/"], ['TIME', '[PID]', 'ID'], $line), "\n";
echo preg_match('/^20\S+ ERROR reactor/m', $server->log()), preg_match('/not this one/', $server->log()), "\n";
$server->stop();

// Where requests are seen as under php-fpm, and where each is a script.
$modes = [
    'web' => $script('', '$server->on("Request", new Ferrite\Http\Web(function () { Ferrite\log("debug", "left out"); Ferrite\log("info", "in web"); echo "ok"; }));'),
    'classic' => $script("'document_root' => place('root'), 'script' => 'index.php'", <<<'CODE'
        mkdir(place('root'));
        file_put_contents(place('root/index.php'), '<?php Ferrite\log("info", "in classic"); echo "ok";');
        CODE),
];
foreach ($modes as $mode => $server) {
    $id = $server->get('/')->header('x-request-id');
    $line = $said($server, "in $mode");
    echo $show($line), ' ', $line['request_id'] === $id ? "the request's" : 'another', "\n";
    $server->stop();
    echo str_contains($server->log(), 'left out') ? "below the level\n" : '';
}

// What is no level.
foreach (['warn', 'WARNING', 'fatal', 'eror', '', 'x', str_repeat('long', 1000), "a\0b"] as $level) {
    try {
        Ferrite\log($level, 'never');
    } catch (ValueError $error) {
        echo preg_replace('/"emergency", .*"debug"/', 'ALL', $error->getMessage()), "\n";
    }
}
try {
    Ferrite\log('info', []);
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
?>
--EXPECT--
INFO  script notice: before {"in":"script"}
supervisor info info started null no id
worker info info worker null no id
worker info info connected null no id
worker error critical first\nsecond \033[31m "quoted" {"user":7} id
the request's
loop: {"in":1,"self":{"in":1,"self":{"in":1,"self":{"in":1,"self":{"in":1,"self":{"in":1,"self":{"in":1,"self":{"in":1,"self":"…"}}}}}}}}
deep: [[[[[[[["…"]]]]]]]]
float: 0.5
nan: "NaN"
null: null
list: [1,"two",true]
error: {"class":"LogicException","message":"oh","file":"/server.php","line":17,"previous":{"class":"RuntimeException","message":"cause","file":"/server.php","line":17}}
object: "object of ArrayObject"
none: []
file: "Resource"
bad�: "�"
8131 bounded
bounded
supervisor error alert shut down null no id
TIME ERROR worker 0 [PID] emergency: one\n2026-01-01T00:00:00.000Z ERROR reactor [PID] forged \x1b[2J \u{9b}31m \u{202e} {"a":"b\n"} [request_id=ID]
00
worker info info in web null id the request's
worker info info in classic null id the request's
Ferrite\log(): Argument #1 ($level) must be one of ALL, "warn" given (did you mean "warning"?)
Ferrite\log(): Argument #1 ($level) must be one of ALL, "WARNING" given (did you mean "warning"?)
Ferrite\log(): Argument #1 ($level) must be one of ALL, "fatal" given (did you mean "critical"?)
Ferrite\log(): Argument #1 ($level) must be one of ALL, "eror" given (did you mean "error"?)
Ferrite\log(): Argument #1 ($level) must be one of ALL, "" given
Ferrite\log(): Argument #1 ($level) must be one of ALL, "x" given
Ferrite\log(): Argument #1 ($level) must be one of ALL, "longlonglonglonglonglonglonglonglonglong…" given
Ferrite\log(): Argument #1 ($level) must be one of ALL, "a\u{0}b" given
Ferrite\log(): Argument #2 ($message) must be of type string, array given
