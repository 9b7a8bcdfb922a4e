--TEST--
end() frees the worker at once also when the response was begun by write(), whatever the client does
--FILE--
<?php
require __DIR__ . '/../server.inc';

const PAGE = 12 << 20;

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'response_spool_bytes_max' => '1M']);
    $server->on('Request', function ($request, $response) {
        $path = $request->server['request_uri'];
        if ($path === '/fast') {
            return $response->end('fast');
        }
        $page = page($path);
        if ($path === '/trailer') {
            $response->trailer('x-sum', hash('sha256', $page));
        } else {
            $response->write(substr($page, 0, 5000));
        }
        $response->end(substr($page, $path === '/trailer' ? 0 : 5000));
    });
    function page(string $path): string
    {
        return substr(implode(" $path\n", range(0, intdiv(12 << 20, 8))), 0, 12 << 20);
    }
    CODE);

function page(string $path): string
{
    return substr(implode(" $path\n", range(0, intdiv(PAGE, 8))), 0, PAGE);
}

foreach (['/written', '/trailer'] as $path) {
    $slow = $server->connect();
    $slow->request('GET', $path);
    // There is one worker, and a client that does not read.
    var_dump($server->get('/fast')->body);
    $response = $slow->response();
    var_dump(hash('sha256', $response->body) === hash('sha256', page($path)));
    $slow->close();
}
?>
--EXPECT--
string(4) "fast"
bool(true)
string(4) "fast"
bool(true)
