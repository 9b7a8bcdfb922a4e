<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Bridge\Emitter;
use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Symfony\Component\HttpFoundation\Response as SymfonyResponse;

/** Runs a callable that takes a request of Symfony's, or nothing, and returns a response, or its content. */
final class CallableHandler
{
    public function __construct(private readonly \Closure $callable)
    {
    }

    /** One whose first parameter is Ferrite's request is a callback as it is. */
    public static function for(\Closure $callable): self|\Closure
    {
        $first = (new \ReflectionFunction($callable))->getParameters()[0] ?? null;
        $type = $first?->getType();
        return $type instanceof \ReflectionNamedType && $type->getName() === Request::class ? $callable : new self($callable);
    }

    public function __invoke(Request $request, Response $response): void
    {
        $symfonyRequest = ServerRequest::from($request);
        (new Capture(new Emitter($request, $response)))->run(function () use ($symfonyRequest): SymfonyResponse {
            $answer = ($this->callable)($symfonyRequest);
            if ($answer === null || is_scalar($answer) || $answer instanceof \Stringable && !$answer instanceof SymfonyResponse) {
                $answer = new SymfonyResponse((string) $answer);
            }
            if (!$answer instanceof SymfonyResponse) {
                throw new \TypeError('The application must return a ' . SymfonyResponse::class . ' or a string, ' . get_debug_type($answer) . ' was returned');
            }
            return $answer->prepare($symfonyRequest);
        });
    }
}
