--TEST--
A session save handler of the worker serves every request, one of a request ends with it
--SKIPIF--
<?php extension_loaded('session') || print 'skip there is no session extension'; ?>
--FILE--
<?php
require __DIR__ . '/../show.inc';

const HANDLER = <<<'CODE'
    class Store implements SessionHandlerInterface
    {
        static array $data = [];
        static array $calls = [];
        function __construct(private string $name) {}
        function open(string $path, string $name): bool { self::$calls[] = "$this->name open"; return true; }
        function close(): bool { self::$calls[] = "$this->name close"; return true; }
        function read(string $id): string|false { return self::$data[$id] ?? ''; }
        function write(string $id, string $data): bool
        {
            self::$calls[] = "$this->name write";
            if (str_contains($data, 'throw')) throw new RuntimeException('cannot write');
            self::$data[$id] = $data;
            return true;
        }
        function destroy(string $id): bool { unset(self::$data[$id]); return true; }
        function gc(int $life): int|false { return 0; }
    }
    $handler = function ($request, $response) {
        Store::$calls = [];
        $get = $request->get ?? [];
        if (isset($get['own'])) {
            echo '';
            session_set_save_handler(new Store('own'));
        }
        if (isset($get['sid'])) session_id($get['sid']);
        session_start();
        $user = $_SESSION['user'] ?? 'nobody';
        if (isset($get['login'])) $_SESSION['user'] = $get['login'];
        session_write_close();
        $calls = implode(', ', Store::$calls);
        session_start();
        $response->end("$user; $calls; " . ini_get('session.save_handler'));
    };
    CODE;
$ini = ['session.save_path' => sys_get_temp_dir(), 'session.use_strict_mode' => 0];
function visit(TestServer $server): void
{
    foreach (['?sid=a&login=first', '?sid=b', '', '?sid=a', '?own&sid=a', '?sid=a', '?sid=c&login=throw', '?sid=c', '?sid=a'] as $query) {
        echo str_pad($query, 20), $server->get("/$query")->body, "\n";
    }
}
echo "-- before start()\n";
visit(TestServer::start(HANDLER . <<<'CODE'
    session_set_save_handler(new Store('boot'), true);
    $server->set(['worker_num' => 1]);
    $server->on('Request', $handler);
    CODE, $ini));
echo "-- in WorkerStart, as single functions\n";
visit(TestServer::start(HANDLER . <<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('WorkerStart', function () {
        $store = new Store('functions');
        // @: since 8.4 single functions are deprecated.
        @session_set_save_handler($store->open(...), $store->close(...), $store->read(...), $store->write(...), $store->destroy(...), $store->gc(...));
        echo "output\n";
    });
    $server->on('Request', $handler);
    CODE, $ini));
echo "-- none\n";
$server = TestServer::start(HANDLER . <<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('Request', $handler);
    CODE, $ini);
foreach (['', '?own&login=first', '', '?own', ''] as $query) {
    echo str_pad($query, 20), preg_replace('/.*;/', '', $server->get("/$query")->body), "\n";
}
array_map('unlink', glob(sys_get_temp_dir() . '/sess_[abc]'));
?>
--EXPECT--
-- before start()
?sid=a&login=first  nobody; boot open, boot write, boot close; user
?sid=b              nobody; boot open, boot write, boot close; user
                    nobody; boot open, boot write, boot close; user
?sid=a              first; boot open, boot write, boot close; user
?own&sid=a          first; own open, own write, own close; user
?sid=a              first; boot open, boot write, boot close; user
?sid=c&login=throw  500 Internal Server Error

?sid=c              nobody; boot open, boot write, boot close; user
?sid=a              first; boot open, boot write, boot close; user
-- in WorkerStart, as single functions
?sid=a&login=first  nobody; functions open, functions write, functions close; user
?sid=b              nobody; functions open, functions write, functions close; user
                    nobody; functions open, functions write, functions close; user
?sid=a              first; functions open, functions write, functions close; user
?own&sid=a          first; own open, own write, own close; user
?sid=a              first; functions open, functions write, functions close; user
?sid=c&login=throw  500 Internal Server Error

?sid=c              nobody; functions open, functions write, functions close; user
?sid=a              first; functions open, functions write, functions close; user
-- none
                     files
?own&login=first     user
                     files
?own                 user
                     files
