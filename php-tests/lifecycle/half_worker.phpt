--TEST--
A worker that loses one of its links is replaced, also when it is idle
--SKIPIF--
<?php
if (!extension_loaded('ffi') && !file_exists(ini_get('extension_dir') . '/ffi.so')) {
    die('skip needs FFI');
}
?>
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 2, 'reactor_num' => 2]);
    $server->on('Request', function ($request, $response) {
        $response->end((string) getmypid());
        if ($request->server['request_uri'] !== '/close') {
            return;
        }
        $types = [];
        foreach (file('/proc/net/unix') as $line) {
            $columns = preg_split('/\s+/', trim($line));
            $types['socket:[' . ($columns[6] ?? '') . ']'] = $columns[4];
        }
        foreach (scandir('/proc/self/fd') as $fd) {
            // A stream, as links are and control sockets are not.
            if (($types[@readlink("/proc/self/fd/$fd")] ?? '') === '0001') {
                // Not close(): the number might be given to something else.
                FFI::cdef('int shutdown(int, int);')->shutdown((int) $fd, 2);
                return;
            }
        }
    });
    CODE, extension_loaded('ffi') ? [] : ['extension' => 'ffi']);
$lost = [];
for ($i = 0; $i < 2; $i++) {
    $lost[] = $pid = (int) $server->get('/close')->body;
    // Until then the next request may come to it by its other link, and would be lost with it.
    $server->waitForLog("/worker \d \(pid $pid\) ended after its link to the reactor had ended, and is replaced/");
    wait_until(fn () => !is_alive($pid), 'it is replaced');
}
$served = [];
for ($i = 0; $i < 20; $i++) {
    $response = $server->get('/');
    $served[] = $response->status === 200 && !in_array((int) $response->body, $lost, true);
}
var_dump(array_unique($served));
var_dump($server->stop());
$server->waitForAll();
?>
--EXPECT--
array(1) {
  [0]=>
  bool(true)
}
int(0)
