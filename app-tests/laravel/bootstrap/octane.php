<?php

// A worker of Octane's whose requests are made of superglobals, and its client. OCTANE, of the environment, is a file with
// Octane's classes, or with stand-ins for them: Debian does not have it.

use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Laravel\Octane\ApplicationFactory;
use Laravel\Octane\Contracts\Client;
use Laravel\Octane\OctaneResponse;
use Laravel\Octane\RequestContext;
use Laravel\Octane\Worker;

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
return [tap(new Worker(new ApplicationFactory(dirname(__DIR__)), $client))->boot(), $client];
