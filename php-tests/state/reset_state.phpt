--TEST--
reset_state puts back INI entries, folder, umask, time zone and handlers; without it they stay
--FILE--
<?php
require __DIR__ . '/../show.inc';

const CODE = <<<'CODE'
    ini_set('precision', '17');
    date_default_timezone_set('Europe/Rome');
    set_error_handler(fn ($code, $text) => $GLOBALS['errors'][] = "script: $text");
    umask(027);
    $server->on('WorkerStart', function () {
        ini_set('memory_limit', '200M');
        set_error_handler(fn ($code, $text) => $GLOBALS['errors'][] = "worker: $text", E_USER_NOTICE | E_USER_WARNING);
        set_exception_handler('printf');
    });
    $server->on('Request', function ($request, $response) {
        $GLOBALS['errors'] = [];
        trigger_error('notice');
        @trigger_error('deprecated', E_USER_DEPRECATED);
        $exceptions = set_exception_handler(null);
        restore_exception_handler();
        $seen = [
            ini_get('precision'), ini_get('memory_limit'), ini_get('serialize_precision'), error_reporting() === E_ALL,
            getcwd() === '/' ? '/' : basename(getcwd()) === 'start', sprintf('%o', umask()), date_default_timezone_get(), $GLOBALS['errors'], $exceptions,
        ];
        switch ($request->server['request_uri']) {
            case '/ini': ini_set('precision', '3'); ini_set('serialize_precision', '4'); ini_restore('memory_limit'); error_reporting(0); break;
            case '/folder': chdir('/'); break;
            case '/umask': umask(0777); break;
            case '/zone': date_default_timezone_set('Asia/Tokyo'); break;
            case '/push':
                set_error_handler(fn ($code, $text) => $GLOBALS['errors'][] = "request: $text");
                set_error_handler(fn ($code, $text) => $GLOBALS['errors'][] = "request again: $text");
                set_exception_handler('strlen');
                break;
            case '/pop': restore_error_handler(); restore_exception_handler(); break;
            case '/empty': for ($i = 0; $i < 5; $i++) { restore_error_handler(); restore_exception_handler(); } break;
            case '/replace': restore_error_handler(); set_error_handler(fn ($code, $text) => $GLOBALS['errors'][] = "other: $text"); break;
            case '/throw': chdir('/'); umask(0); set_error_handler(null); throw new Exception('x');
        }
        $response->end(json_encode($seen, JSON_UNESCAPED_SLASHES));
    });
    mkdir(place('start'));
    chdir(place('start'));
    CODE;
const PATHS = ['ini', 'folder', 'umask', 'zone', 'push', 'pop', 'empty', 'replace', 'throw'];

echo "-- on\n";
$server = TestServer::start('$server->set(["worker_num" => 1, "reset_state" => true]);' . CODE, ['error_reporting' => E_ALL, 'display_errors' => 0]);
$fresh = $server->get('/')->body;
echo $fresh, "\n";
foreach ([...PATHS, ...PATHS] as $path) {
    $server->get("/$path");
    $next = $server->get('/')->body;
    echo $next === $fresh ? '' : "after $path: $next\n";
}
$server->stop();
$server->waitForAll();
rmdir($server->place('start'));

echo "-- off\n";
$server = TestServer::start('$server->set(["worker_num" => 1]);' . CODE, ['error_reporting' => E_ALL, 'display_errors' => 0]);
foreach (['ini', 'folder', 'umask', 'zone', 'push', ''] as $path) {
    $last = $server->get("/$path");
}
echo $last->body, "\n";
$server->stop();
rmdir($server->place('start'));
?>
--EXPECT--
-- on
["17","200M","-1",true,true,"27","Europe/Rome",["worker: notice"],"printf"]
-- off
["3","128M","4",false,"/","777","Asia/Tokyo",["request again: notice","request again: deprecated"],"strlen"]
