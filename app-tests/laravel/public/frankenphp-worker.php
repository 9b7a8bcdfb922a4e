<?php

// A worker as Laravel Octane has one for FrankenPHP, call by call. OCTANE is a file with Octane's classes, or with stand-ins for
// them: Debian does not have it.

use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Laravel\Octane\ApplicationFactory;
use Laravel\Octane\Contracts\Client;
use Laravel\Octane\OctaneResponse;
use Laravel\Octane\RequestContext;
use Laravel\Octane\Worker;
use Symfony\Component\HttpFoundation\Response;

if (!($_SERVER['FRANKENPHP_WORKER'] ?? false) || !function_exists('frankenphp_handle_request')) {
    echo 'This is a worker script.';
    exit(1);
}
ignore_user_abort(true);

require 'Illuminate/autoload.php';
require_once 'Symfony/Component/VarDumper/Resources/functions/dump.php';
foreach (glob(__DIR__ . '/../app/Http/*.php') as $class) {
    require $class;
}
require $_SERVER['OCTANE'];

$client = new class implements Client {
    public function marshalRequest(RequestContext $context): array
    {
        return [Request::createFromGlobals(), $context];
    }

    public function respond(RequestContext $context, OctaneResponse $response): void
    {
        $response->response->send();
    }

    public function error(Throwable $e, Application $app, Request $request, RequestContext $context): void
    {
        error_log($e->getMessage(), 4);
    }
};
$worker = tap(new Worker(new ApplicationFactory(dirname(__DIR__)), $client))->boot();
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
