<?php

// The server that serves an application to the tests.
//
//   php -d extension=ferrite server.php FOLDER SETTINGS [CALLBACK]
//
// FOLDER holds server.pem and server.key, and gets `ready` (JSON: the port and the supervisor's pid).
// SETTINGS are the server's options as JSON. CALLBACK is a file that returns the callback for requests, where no script
// runs.

declare(strict_types=1);

[, $folder, $settings] = $argv;

$server = new Ferrite\Http\Server('127.0.0.1', 0, Ferrite\PROCESS, Ferrite\SOCK_TCP | Ferrite\SSL);
$server->set([
    'banner' => false,
    'ssl_cert_file' => "$folder/server.pem",
    'ssl_key_file' => "$folder/server.key",
    ...json_decode($settings, true, flags: JSON_THROW_ON_ERROR),
]);
$server->on('Start', function (Ferrite\Http\Server $server) use ($folder): void {
    file_put_contents("$folder/ready.new", json_encode(['port' => $server->port, 'pid' => $server->master_pid]));
    rename("$folder/ready.new", "$folder/ready");
});
isset($argv[3]) && $server->on('Request', require $argv[3]);
$server->start();
