<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Bridge\Emitter;
use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;
use Symfony\Component\HttpFoundation\Response as SymfonyResponse;
use Symfony\Component\HttpKernel\EventListener\StreamedResponseListener;
use Symfony\Component\HttpKernel\HttpKernelInterface;
use Symfony\Component\HttpKernel\Kernel;
use Symfony\Component\HttpKernel\KernelEvents;
use Symfony\Component\HttpKernel\KernelInterface;
use Symfony\Component\HttpKernel\TerminableInterface;
use Symfony\Contracts\Service\ResetInterface;

/** Runs a kernel, which stays in memory: Symfony resets its services when the next request comes. */
final class KernelHandler
{
    private bool $preparedToStream = false;
    private ?Server $server = null;
    /** Whether a request was not finished, by exit(): then its services are not reset. */
    private bool $isLeft = false;

    public function __construct(private HttpKernelInterface $kernel)
    {
    }

    /** Loads the application before the first request. What is wrong with it the first request tells. */
    public function boot(Server $server): void
    {
        $this->server = $server;
        try {
            $kernel = $this->innermost();
            if ($kernel instanceof KernelInterface) {
                $kernel->boot();
                $this->prepareToStream();
            }
        } catch (\Throwable $error) {
            error_log("the kernel does not boot: $error");
        }
    }

    public function __invoke(Request $request, Response $response): void
    {
        if (function_exists('xdebug_connect_to_client')) {
            xdebug_connect_to_client();
        }
        if ($this->isLeft && $this->kernel instanceof Kernel) {
            // A kernel that was cloned is as one that has not booted.
            $this->kernel = clone $this->kernel;
            $this->isLeft = $this->preparedToStream = false;
        }
        $symfonyRequest = ServerRequest::from($request);
        $capture = new Capture(new Emitter($request, $response));
        $capture->run(function () use ($symfonyRequest): SymfonyResponse {
            $this->preparedToStream || $this->prepareToStream();
            return $this->kernel->handle($symfonyRequest);
        }, function (SymfonyResponse $symfonyResponse) use ($symfonyRequest): void {
            // The client has its answer; what is left to do takes none of its time.
            if ($this->kernel instanceof TerminableInterface) {
                $this->kernel->terminate($symfonyRequest, $symfonyResponse);
            }
            if ($this->kernel instanceof ResetInterface) {
                $this->kernel->reset();
            }
        }, function (): void {
            // What a request leaves in a kernel that it has not come back to, nobody else shall see.
            $this->isLeft = true;
            $this->server?->stop();
        });
    }

    /**
     * Before Symfony 7 a listener sends a streamed response while it is handled, when nobody knows its head yet. Without
     * that listener it is sent as any other.
     */
    private function prepareToStream(): void
    {
        $this->preparedToStream = true;
        $kernel = $this->innermost();
        if (!class_exists(StreamedResponseListener::class) || !$kernel instanceof KernelInterface) {
            return;
        }
        $kernel->boot();
        $container = $kernel->getContainer();
        if (!$container->has('event_dispatcher')) {
            return;
        }
        $dispatcher = $container->get('event_dispatcher');
        foreach ($dispatcher->getListeners(KernelEvents::RESPONSE) as $listener) {
            if (is_array($listener) && $listener[0] instanceof StreamedResponseListener) {
                $dispatcher->removeListener(KernelEvents::RESPONSE, $listener);
            }
        }
    }

    /** The kernel within a cache. */
    private function innermost(): HttpKernelInterface
    {
        $kernel = $this->kernel;
        while (!$kernel instanceof KernelInterface && method_exists($kernel, 'getKernel')) {
            $kernel = $kernel->getKernel();
        }
        return $kernel;
    }
}
