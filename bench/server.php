<?php

// What script/bench measures. Each case has a server of its own, so that no handler pays for
// choosing between them. The class is an option: another extension with the same names can be
// measured by the same handlers.
//
//   php -d extension=… bench/server.php --port PORT --workers N --case NAME
//       [--reactors N] [--class 'Ferrite\Http\Server']
//       [--protocol h1|h2c|tls-h1|tls-h2|h3 --certificate FILE --key FILE] [--documents FOLDER]

declare(strict_types=1);

$names = ['port', 'workers', 'case', 'reactors', 'class', 'protocol', 'certificate', 'key', 'documents'];
$options = getopt('', array_map(fn ($name) => "$name:", $names));
$class = $options['class'] ?? 'Ferrite\Http\Server';
$process = 2;
$tcp = 1;
$ssl = 512;
$protocol = $options['protocol'] ?? 'h1';
$tls = $protocol === 'h3' || str_starts_with($protocol, 'tls-');

$server = new $class('127.0.0.1', (int) $options['port'], $process, $tcp | ($tls ? $ssl : 0));
$server->set([
    'worker_num' => (int) $options['workers'],
    'reactor_num' => (int) ($options['reactors'] ?? 1),
    'package_max_length' => $options['case'] === 'upload' ? 1 << 30 : 32 << 20,
    ...(in_array($protocol, ['h2c', 'tls-h2'], true) ? ['open_http2_protocol' => true] : []),
    ...($tls ? ['ssl_cert_file' => $options['certificate'], 'ssl_key_file' => $options['key']] : []),
    ...($options['case'] === 'static/16384' ? ['enable_static_handler' => true, 'document_root' => $options['documents']] : []),
    ...($options['case'] === 'upload' ? ['body_stream' => true] : []),
    ...($options['case'] === 'form' ? ['php_ini' => ['upload_max_filesize' => '64M']] : []),
    ...(str_starts_with($options['case'], 'coded/') ? ['http_compression' => true] : []),
    // All that tells of requests.
    ...($options['case'] === 'observed' ? [
        'access_log' => "$options[documents]/access.$options[port].log",
        'access_log_format' => 'json',
        'admin_listen' => "$options[documents]/admin.$options[port].sock",
        'request_id' => true,
        'request_id_response' => true,
    ] : []),
    // Five thousand clients at once may wait for one worker.
    ...($class === 'Ferrite\Http\Server' ? ['request_queue_len_max' => 8192] : []),
]);

$send = function (int $bytes): Closure {
    $body = str_repeat('x', $bytes);
    return function ($request, $response) use ($body): void {
        $response->header('Content-Type', 'application/octet-stream');
        $response->end($body);
    };
};

$server->on('Request', match ($options['case']) {
    'hello', 'observed' => function ($request, $response): void {
        $response->header('Content-Type', 'text/plain');
        $response->end("Hello, World!\n");
    },
    'headers' => function ($request, $response): void {
        $bytes = 0;
        foreach ($request->header as $name => $value) {
            $bytes += strlen($name) + strlen($value);
        }
        $response->header('Content-Type', 'text/plain');
        $response->end("$bytes\n");
    },
    'size/16384' => $send(16384),
    'size/1048576' => $send(1 << 20),
    'page' => function ($request, $response): void {
        $response->header('Content-Type', 'application/octet-stream');
        $response->end(isset($request->get['page']) ? str_repeat('x', 6 << 20) : "Hello, World!\n");
    },
    'download' => function ($request, $response): void {
        $response->header('Content-Type', 'application/octet-stream');
        $piece = str_repeat('x', 1 << 20);
        for ($sent = 0; $sent < (int) $request->get['mib']; $sent++) {
            $response->write($piece);
        }
        $response->end();
    },
    'upload' => function ($request, $response): void {
        $bytes = 0;
        for ($body = $request->stream(); ($piece = fread($body, 1 << 16)) !== false && $piece !== ''; ) {
            $bytes += strlen($piece);
        }
        $response->end("$bytes\n");
    },
    'form' => function ($request, $response): void {
        $response->end("{$request->files['file']['size']}\n");
    },
    'coded/gzip', 'coded/br', 'coded/zstd' => (function () use ($options): Closure {
        $page = file_get_contents("$options[documents]/coded/gzip");
        return fn ($request, $response) => $response->end($page);
    })(),
    // Answered without the handler.
    'static/16384' => function ($request, $response): void {
        $response->status(404);
        $response->end();
    },
    'sendfile/1048576' => function ($request, $response) use ($options): void {
        $response->sendfile("$options[documents]/sendfile/1048576");
    },
    'echo' => function ($request, $response): void {
        $response->header('Content-Type', 'application/octet-stream');
        $response->end($request->rawContent());
    },
    'sleep' => function ($request, $response): void {
        usleep(100_000);
        $response->end("slept\n");
    },
    'mix' => function ($request, $response): void {
        if ($request->get['kind'] === 'slow') {
            usleep(100_000);
        }
        $response->end("{$request->get['kind']} {$request->get['sent']}\n");
    },
});

$server->start();
