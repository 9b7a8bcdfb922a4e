--TEST--
A detached response is compressed by whoever ends it; one that is compressed while it is written stays with its handler
--FILE--
<?php
require __DIR__ . '/../server.inc';

$server = TestServer::script(<<<'CODE'
    $server = new Ferrite\Http\Server('127.0.0.1', 0);
    $server->set(['worker_num' => 2, 'http_compression' => true]);
    $server->on('Start', fn ($server) => ready($server));
    $server->on('Request', function ($request, $response) {
        $response->header('Content-Type', 'text/plain');
        switch ($request->server['path_info']) {
            case '/later':
                $token = $response->token();
                $response->detach();
                return Ferrite\Http\Response::create($token)->end(str_repeat('later ', 1000));
            case '/identity':
                $response->header('Content-Encoding', 'identity');
            case '/begun':
                $response->write(str_repeat('begun ', 1000));
                try {
                    $token = $response->token();
                    $response->detach();
                    $response = Ferrite\Http\Response::create($token);
                } catch (Ferrite\Exception $exception) {
                    $response->write($exception->getMessage());
                }
                return $response->end(' end');
        }
    });
    $server->start();
    CODE);
foreach (['/later', '/begun', '/identity'] as $path) {
    $response = $server->get($path, ['Accept-Encoding' => 'gzip']);
    $coding = $response->header('content-encoding');
    $content = $coding === 'gzip' ? gzdecode($response->body) : $response->body;
    echo "$path: $coding, ", preg_replace('/^((later|begun) )+/', '… ', $content), "\n";
}
echo $server->stop(), "\n";
?>
--EXPECT--
/later: gzip, … 
/begun: gzip, … Content that is compressed while it is written stays with its handler: detach the response before write(), or set Content-Encoding to identity end
/identity: identity, …  end
0
