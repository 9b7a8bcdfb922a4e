<?php

// Stand-ins for Laravel Octane, which Debian does not have: its contracts, and as much of its worker as the tests need. They
// are written from Octane's public interface, and are much shorter than Octane is.

declare(strict_types=1);

namespace Laravel\Octane\Contracts;

use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Laravel\Octane\OctaneResponse;
use Laravel\Octane\RequestContext;

interface Client
{
    public function marshalRequest(RequestContext $context): array;

    public function respond(RequestContext $context, OctaneResponse $response): void;

    public function error(\Throwable $e, Application $app, Request $request, RequestContext $context): void;
}

interface StoppableClient extends Client
{
    public function stop(): void;
}

interface ServerProcessInspector
{
    public function serverIsRunning(): bool;

    public function reloadServer(): void;

    public function stopServer(): bool;
}

interface DispatchesTasks
{
    public function resolve(array $tasks, int $waitMilliseconds = 3000): array;

    public function dispatch(array $tasks);
}

namespace Laravel\Octane;

use Illuminate\Container\Container;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Facade;
use Symfony\Component\HttpFoundation\Response;

final class RequestContext implements \ArrayAccess
{
    public function __construct(public array $data = [])
    {
    }

    public function offsetExists(mixed $key): bool
    {
        return isset($this->data[$key]);
    }

    public function offsetGet(mixed $key): mixed
    {
        return $this->data[$key];
    }

    public function offsetSet(mixed $key, mixed $value): void
    {
        $this->data[$key] = $value;
    }

    public function offsetUnset(mixed $key): void
    {
        unset($this->data[$key]);
    }
}

final class OctaneResponse
{
    public function __construct(public Response $response, public ?string $outputBuffer = null)
    {
    }
}

final class Octane
{
    public static function formatExceptionForClient(\Throwable $e, $debug = false): string
    {
        return $debug ? (string) $e : 'Internal server error.';
    }
}

final class SequentialTaskDispatcher implements Contracts\DispatchesTasks
{
    public function resolve(array $tasks, int $waitMilliseconds = 1): array
    {
        return array_map(static fn (callable $task) => $task(), $tasks);
    }

    public function dispatch(array $tasks): void
    {
        $this->resolve($tasks);
    }
}

final class ApplicationFactory
{
    public function __construct(private string $basePath)
    {
    }

    public function createApplication(array $initialInstances = []): Application
    {
        $app = require "$this->basePath/bootstrap/app.php";
        foreach ($initialInstances as $name => $instance) {
            $app->instance($name, $instance);
        }
        $app->instance('request', Request::create('http://localhost'));
        $app->make(Kernel::class)->bootstrap();
        return $app;
    }
}

/** A clone of the application for each request, in which what belongs to a request is made anew. */
final class Worker
{
    private const OF_A_REQUEST = [
        'session', 'session.store', \Illuminate\Session\Middleware\StartSession::class, 'cookie', 'auth', 'auth.driver', 'url',
        'redirect', 'view', 'validator', 'blade.compiler', 'request', Kernel::class, \Illuminate\Contracts\Debug\ExceptionHandler::class,
    ];

    private Application $app;

    public function __construct(private ApplicationFactory $factory, private Contracts\Client $client)
    {
    }

    public function boot(array $initialInstances = []): void
    {
        $this->app = $this->factory->createApplication([Contracts\Client::class => $this->client] + $initialInstances);
    }

    public function handle(Request $request, RequestContext $context): void
    {
        $sandbox = clone $this->app;
        foreach (self::OF_A_REQUEST as $name) {
            $sandbox->forgetInstance($name);
        }
        $this->enter($sandbox);
        $sandbox->instance('config', clone $this->app['config']);
        $sandbox['router']->setContainer($sandbox);
        $sandbox->instance('request', $request);
        $responded = false;
        try {
            ob_start();
            $response = $sandbox->make(Kernel::class)->handle($request);
            $output = ob_get_clean();
            $this->client->respond($context, new OctaneResponse($response, $output));
            $responded = true;
            $sandbox->make(Kernel::class)->terminate($request, $response);
        } catch (\Throwable $error) {
            $responded || $this->client->error($error, $sandbox, $request, $context);
        } finally {
            $sandbox->flush();
            $this->enter($this->app);
        }
    }

    public function terminate(): void
    {
    }

    private function enter(Application $app): void
    {
        $app->instance('app', $app);
        $app->instance(Container::class, $app);
        Container::setInstance($app);
        Facade::clearResolvedInstances();
        Facade::setFacadeApplication($app);
    }
}
