--TEST--
Memory that is exhausted behind the handler, when its session is written, costs nobody else anything
--SKIPIF--
<?php extension_loaded('session') || print 'skip there is no session extension'; ?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

$directory = sys_get_temp_dir() . '/ferrite-sessions-' . getmypid();
mkdir($directory);
$server = serve(<<<'CODE'
    if ($request->server['request_uri'] === '/large') {
        session_start();
        $_SESSION['large'] = str_repeat('x', 7 << 20);
    }
    $response->end((string) getmypid());
    CODE, ini: ['session.save_path' => $directory, 'memory_limit' => '14M', 'display_errors' => 0, 'log_errors' => 0]);
$pid = $server->get('/')->body;
var_dump($server->get('/large')->body === $pid);
// Perhaps it has grown just less than the limit: then the worker may stay, and serve on.
for ($i = 0; $i < 5; $i++) {
    $response = $server->get('/');
    echo $response->status, is_numeric($response->body) ? " served\n" : " $response->body\n";
}
echo preg_replace(['~\(tried.*?\)~', '~ in \S+$~m'], ['(…)', ''], logged($server, 'closed'));
array_map('unlink', glob("$directory/*"));
rmdir($directory);
?>
--EXPECT--
bool(true)
200 served
200 served
200 served
200 served
200 served
ERROR while the session was closed: Allowed memory size of 14680064 bytes exhausted (…)
