<?php

// The server that script/chaos disturbs. Each handler first notes the id of its request, with one write
// to a file that is only appended to: so it can be proven afterwards how often each request ran.
//
// usage: php server.php FOLDER WORKERS REACTORS [OPTIONS]
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
    'request_queue_timeout' => 60,
    'request_queue_len_max' => 10_000,
    'package_max_length' => '4M',
    'banner' => false,
    ...$options,
]);
$tls->set(['ssl_cert_file' => "$folder/server.pem", 'ssl_key_file' => "$folder/server.key"]);

/** Content that only this request can have. */
function content(string $id, int $length): string
{
    return substr(str_repeat(hash('sha256', $id), intdiv($length, 64) + 1), 0, $length);
}

/** Content of which no place is like another. */
function page(string $id, int $length): string
{
    $line = " $id\n";
    return substr(implode($line, range(0, intdiv($length, strlen($line)))) . $line, 0, $length);
}

$server->on('Start', function (Server $server) use ($folder, $tls) {
    file_put_contents("$folder/ready.new", json_encode(['clear' => $server->port, 'tls' => $tls->port, 'pid' => $server->master_pid]));
    rename("$folder/ready.new", "$folder/ready");
});

$server->on('Request', function (Request $request, Response $response) use ($server, $folder) {
    if ($request->server['request_uri'] === '/stats') {
        return $response->end(json_encode($server->stats() + ['worker' => $server->worker_id]));
    }
    if ($request->server['request_uri'] === '/probe') {
        return $response->end('probe');
    }
    $id = $request->get['id'];
    file_put_contents("$folder/ran", "$id " . getmypid() . "\n", FILE_APPEND);
    $size = (int) ($request->get['size'] ?? 0);
    switch ($request->server['request_uri']) {
        case '/quick':
            return $response->end(content($id, 100));
        case '/slow':
            usleep(1000 * (int) $request->get['ms']);
            return $response->end(content($id, 100));
        case '/large':
            return $response->end(content($id, $size));
        case '/written':
            for ($at = 0, $all = content($id, $size); $at < $size; $at += 50_000) {
                if (!$response->write(substr($all, $at, 50_000)) && !$response->isWritable()) {
                    return;
                }
            }
            return $response->end();
        case '/page':
            return $response->end(page($id, $size));
        case '/page-written':
            $page = page($id, $size);
            $response->write(substr($page, 0, 1000));
            return $response->end(substr($page, 1000));
        case '/upload':
            return $response->end(hash('sha256', $request->rawContent()));
        case '/form':
            return $response->end(hash_file('sha256', $request->files['file']['tmp_name']));
        case '/kill':
            posix_kill(getmypid(), (int) $request->get['signal']);
            usleep(5_000_000);
            return $response->end('alive');
        case '/exit':
            exit(3);
        case '/fatal':
            $class = 'Twice' . random_int(0, PHP_INT_MAX);
            eval("class $class {} class $class {}");
            return $response->end('no');
        case '/fork':
            $child = pcntl_fork();
            if ($child === 0) {
                // It lives on beside its parent, which may die meanwhile, and ends in a way of its own.
                usleep(1000 * (int) $request->get['ms']);
                if ($request->get['how'] === 'throw') {
                    throw new Exception('in a child');
                }
                if ($request->get['how'] === 'return') {
                    return;
                }
                exit(0);
            }
            pcntl_signal(SIGCHLD, SIG_IGN);
            return $response->end(content($id, 100));
    }
    $response->status(404);
    $response->end();
});
$server->start();
