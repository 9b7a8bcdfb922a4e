<?php

// The server that script/checks/bounds asks for more than it may have open.
//
// usage: php bounds.php FOLDER WORKERS REACTORS [OPTIONS]
//
// OPTIONS of the server, as JSON, come beside those below.

use Ferrite\Http\{Request, Response, Server};

[, $folder, $workers, $reactors] = $argv;
$options = json_decode($argv[4] ?? '{}', true, flags: JSON_THROW_ON_ERROR);

$server = new Server('127.0.0.1', 0);
$tls = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
$server->set([
    'worker_num' => (int) $workers,
    'reactor_num' => (int) $reactors,
    'pid_file' => "$folder/pid",
    'log_file' => "$folder/log",
    'upload_tmp_dir' => "$folder/tmp",
    'body_memory_bytes_max' => '256K',
    'body_timeout' => 120,
    'send_timeout' => 120,
    'banner' => false,
    ...$options,
]);
$tls->set(['ssl_cert_file' => "$folder/server.pem", 'ssl_key_file' => "$folder/server.key"]);

file_put_contents("$folder/small", "a small file\n");

// A large file that no other response sends: the reactor opens once what many send.
$own = function (Response $response) use ($folder): void {
    $file = tempnam($folder, 'own');
    ftruncate(fopen($file, 'c'), 6_400_000);
    $response->sendfile($file);
    unlink($file);
};

$server->on('Start', function (Server $server) use ($folder, $tls) {
    file_put_contents("$folder/ready.new", json_encode(['clear' => $server->port, 'tls' => $tls->port, 'pid' => $server->master_pid]));
    rename("$folder/ready.new", "$folder/ready");
});

$server->on('Request', function (Request $request, Response $response) use ($server, $folder, $own) {
    match ($request->server['request_uri']) {
        '/stats' => $response->end(json_encode($server->stats())),
        '/small' => $response->sendfile("$folder/small"),
        '/own' => $own($response),
        '/length' => $response->end((string) strlen($request->getContent())),
        default => $response->end('hello'),
    };
});
$server->start();
