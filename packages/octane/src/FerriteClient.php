<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Ferrite\Bridge\Emitter;
use Ferrite\Http\Server;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Laravel\Octane\Contracts\Client;
use Laravel\Octane\Contracts\StoppableClient;
use Laravel\Octane\Octane;
use Laravel\Octane\OctaneResponse;
use Laravel\Octane\RequestContext;

/** Between Octane and Ferrite: makes Laravel's requests, and sends its responses. It keeps nothing of either. */
final class FerriteClient implements Client, StoppableClient
{
    public function __construct(private readonly Server $server)
    {
    }

    /** @return array{Request, RequestContext} */
    public function marshalRequest(RequestContext $context): array
    {
        return [ServerRequest::from($context['request']), $context];
    }

    public function respond(RequestContext $context, OctaneResponse $response): void
    {
        $emitter = new Emitter($context['request'], $context['response']);
        $emitter->send($response->response, (string) $response->outputBuffer);
    }

    /** What nobody has rendered. Octane's handler for errors has told the log. */
    public function error(\Throwable $e, Application $app, Request $request, RequestContext $context): void
    {
        $response = $context['response'];
        error_log((string) $e);
        if (!$response->isWritable()) {
            return;
        }
        $response->initHeader();
        $response->status(500);
        $response->header('Content-Type', 'text/plain; charset=utf-8');
        $response->end(Octane::formatExceptionForClient($e, (bool) $app->make('config')->get('app.debug')));
    }

    /** Replaces this worker, after the request in work. */
    public function stop(): void
    {
        $this->server->stop();
    }
}
