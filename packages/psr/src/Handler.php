<?php

declare(strict_types=1);

namespace Ferrite\Psr;

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestFactoryInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Message\UploadedFileFactoryInterface;
use Psr\Http\Message\UriFactoryInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * A callback for the event `Request` that runs a PSR-15 handler.
 *
 *     $server->on('Request', Handler::with($application, new Psr17Factory()));
 */
final class Handler
{
    /** @var \Closure(ServerRequestInterface): ResponseInterface */
    private readonly \Closure $handle;

    /** @param RequestHandlerInterface|callable(ServerRequestInterface): ResponseInterface $handler */
    public function __construct(
        RequestHandlerInterface|callable $handler,
        private readonly RequestFactory $requests,
        private readonly Emitter $emitter = new Emitter(),
    ) {
        // A handler may be callable as well: that it is a handler counts.
        $this->handle = $handler instanceof RequestHandlerInterface ? $handler->handle(...) : $handler(...);
    }

    /**
     * Takes one object that is all of the factories, as Nyholm's and Guzzle's are, or several.
     *
     * @param RequestHandlerInterface|callable(ServerRequestInterface): ResponseInterface $handler
     * @param object $factory an object with PSR-17's ServerRequestFactoryInterface, and whatever else it has
     * @param object ...$more those of the other interfaces
     * @throws \TypeError when one of the four interfaces is left
     */
    public static function with(RequestHandlerInterface|callable $handler, object $factory, object ...$more): self
    {
        $find = static function (string $interface) use ($factory, $more): object {
            foreach ([$factory, ...$more] as $candidate) {
                if ($candidate instanceof $interface) {
                    return $candidate;
                }
            }
            throw new \TypeError("Give a factory that is a $interface: none of the arguments is one");
        };
        return new self($handler, new RequestFactory(
            $find(ServerRequestFactoryInterface::class),
            $find(UriFactoryInterface::class),
            $find(StreamFactoryInterface::class),
            $find(UploadedFileFactoryInterface::class),
        ));
    }

    public function __invoke(Request $request, Response $response): void
    {
        try {
            $message = $this->requests->create($request);
        } catch (\InvalidArgumentException $error) {
            // What HTTP allows and PSR-7's implementation does not, such as an odd host.
            $response->status(400);
            $response->header('Content-Type', 'text/plain');
            $response->end("Bad Request\n");
            return;
        }
        $answer = ($this->handle)($message);
        if (!$answer instanceof ResponseInterface) {
            throw new \TypeError('The handler must return a ' . ResponseInterface::class . ', ' . get_debug_type($answer) . ' was returned');
        }
        $this->emitter->emit($answer, $request, $response);
    }
}
