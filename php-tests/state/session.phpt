--TEST--
A session ends with its request: the next user of the worker is nobody, and no lock stays
--SKIPIF--
<?php extension_loaded('session') || print 'skip there is no session extension'; ?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

$directory = sys_get_temp_dir() . '/ferrite-sessions-' . getmypid();
mkdir($directory);
$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2]);
    $server->on('Request', function ($request, $response) {
        $get = $request->get ?? [];
        switch ($request->server['request_uri']) {
            case '/busy':
                touch(place('busy'));
                while (!file_exists(place('go'))) usleep(2000);
                return $response->end('was busy');
            case '/variable':
                $before = isset($_SESSION) ? 'set' : 'unset';
                $_SESSION['user'] = 'without a session';
                return $response->end($before);
            case '/status': return $response->end(session_status() . ' ' . json_encode(session_id()) . ' ' . json_encode($_SESSION ?? null));
            case '/cookie':
                $_COOKIE[session_name()] = 'cookie1';
                session_start();
                unset($_COOKIE[session_name()]);
                return $response->end(session_id());
        }
        if (isset($get['sid'])) session_id($get['sid']);
        session_start();
        $user = $_SESSION['user'] ?? 'nobody';
        if (isset($get['login'])) $_SESSION['user'] = $get['login'];
        $how = $get['how'] ?? '';
        if ($how === 'exit') { $response->end($user); exit; }
        if ($how === 'throw') throw new RuntimeException('thrown');
        if ($how === 'fatal') trigger_error('given up', E_USER_ERROR);
        if ($how === 'destroy') session_destroy();
        if ($how === 'close') session_write_close();
        if ($how === 'abort') session_abort();
        if ($how === 'regenerate') session_regenerate_id(true);
        $response->end($user);
    });
    CODE, ['session.save_path' => $directory, 'session.use_strict_mode' => 0, 'display_errors' => 0, 'log_errors' => 0]);

// One connection each to what may be either worker: both must agree on who is who.
foreach (['', 'exit', 'throw', 'fatal', 'close', 'regenerate'] as $at => $how) {
    $server->get("/?sid=user$at&login=first&how=$how");
    // Somebody else, with a session id of their own and without one.
    echo "$how: ", $server->get("/?sid=other$at")->body, ' ', $server->get('/')->body, ' ', $server->get('/status')->body, ' ';
    // The first is known again, to either worker, at once.
    if ($how === 'fatal') {
        // Its worker is being replaced: there may be one only.
        echo $server->get("/?sid=user$at")->body, "\n";
        continue;
    }
    @unlink($server->place('busy'));
    @unlink($server->place('go'));
    $busy = $server->connect();
    $busy->request('GET', '/busy');
    wait_until(fn () => file_exists($server->place('busy')), 'one worker is busy');
    echo $server->get("/?sid=user$at")->body, ' ';
    touch($server->place('go'));
    $busy->response();
    echo $server->get("/?sid=user$at")->body, "\n";
}
$server->get('/?sid=gone&login=first');
$server->get('/?sid=gone&how=destroy');
echo 'destroyed: ', $server->get('/?sid=gone')->body, "\n";
$server->get('/?sid=kept&login=first');
$server->get('/?sid=kept&login=second&how=abort');
echo 'aborted: ', $server->get('/?sid=kept')->body, "\n";
echo 'by $_COOKIE: ';
foreach (range(1, 4) as $i) {
    $server->get("/?sid=between$i");
    echo $server->get('/cookie')->body, ' ';
}
echo "\n\$_SESSION without a session: ";
foreach (range(1, 4) as $i) {
    echo $server->get('/variable')->body, ' ';
}
echo "\n";
array_map('unlink', glob("$directory/*"));
rmdir($directory);
?>
--EXPECT--
: nobody nobody 1 "" null first first
exit: nobody nobody 1 "" null first first
throw: nobody nobody 1 "" null first first
fatal: nobody nobody 1 "" null first
close: nobody nobody 1 "" null first first
regenerate: nobody nobody 1 "" null nobody nobody
destroyed: nobody
aborted: first
by $_COOKIE: cookie1 cookie1 cookie1 cookie1 
$_SESSION without a session: unset unset unset unset 
