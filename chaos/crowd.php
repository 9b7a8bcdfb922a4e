<?php

// The server that a crowd of slow readers asks: a file by sendfile(), the same as a static file, and pages that are made.
//
// usage: php crowd.php FOLDER WORKERS REACTORS OPTIONS

use Ferrite\Http\{Request, Response, Server};

[, $folder, $workers, $reactors] = $argv;
$options = json_decode($argv[4], true, flags: JSON_THROW_ON_ERROR);
$server = new Server('127.0.0.1', 0);
$tls = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL);
$server->set([
    'worker_num' => (int) $workers,
    'reactor_num' => (int) $reactors,
    'log_file' => "$folder/log",
    'upload_tmp_dir' => "$folder/tmp",
    'banner' => false,
    ...$options,
]);
$tls->set(['ssl_cert_file' => "$folder/server.pem", 'ssl_key_file' => "$folder/server.key"]);
$server->on('Start', function (Server $server) use ($folder, $tls) {
    file_put_contents("$folder/ready.new", json_encode(['clear' => $server->port, 'tls' => $tls->port, 'pid' => $server->master_pid]));
    rename("$folder/ready.new", "$folder/ready");
});
$server->on('Request', function (Request $request, Response $response) use ($server, $options) {
    $bytes = (int) ($request->get['bytes'] ?? 0);
    match ($request->server['request_uri']) {
        '/stats' => $response->end(json_encode($server->stats() + ['worker' => $server->worker_id])),
        '/probe' => $response->end('probe'),
        '/file' => $response->sendfile("$options[document_root]/documents/file"),
        '/made' => $response->end(str_repeat('0123456789abcdef', intdiv($bytes, 16))),
    };
});
$server->start();
