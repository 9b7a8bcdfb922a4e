<?php

// A worker as Laravel Octane has one for FrankenPHP, call by call.

use Laravel\Octane\RequestContext;
use Symfony\Component\HttpFoundation\Response;

if (!($_SERVER['FRANKENPHP_WORKER'] ?? false) || !function_exists('frankenphp_handle_request')) {
    echo 'This is a worker script.';
    exit(1);
}
ignore_user_abort(true);

[$worker, $client] = require __DIR__ . '/../bootstrap/octane.php';
$limit = (int) ($_ENV['MAX_REQUESTS'] ?? $_SERVER['MAX_REQUESTS'] ?? 1000);
$handled = 0;
try {
    $handler = static function () use ($worker, $client): void {
        try {
            $worker->handle(...$client->marshalRequest(new RequestContext()));
        } catch (Throwable $error) {
            report($error);
            (new Response('Internal Server Error', 500, ['Content-Type' => 'text/plain']))->send();
        }
    };
    while ($handled < $limit && frankenphp_handle_request($handler)) {
        $handled++;
    }
} finally {
    $worker->terminate();
    gc_collect_cycles();
}
