<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Psr\Handler;
use Psr\Http\Server\RequestHandlerInterface;

/** Runs PSR-15 handlers by the package ferrite/psr. */
final class Psr
{
    /** Objects that are all of PSR-17's factories. */
    private const FACTORIES = ['Nyholm\Psr7\Factory\Psr17Factory', 'GuzzleHttp\Psr7\HttpFactory'];

    /** @param list<object|class-string> $factories */
    public static function handler(RequestHandlerInterface $application, array $factories): Handler
    {
        if (!class_exists(Handler::class)) {
            throw new \LogicException('The application is a PSR-15 handler: composer require ferrite/psr');
        }
        if ($factories === []) {
            $known = array_values(array_filter(self::FACTORIES, class_exists(...)));
            $factories = array_slice($known, 0, 1);
        }
        if ($factories === []) {
            throw new \LogicException("There is no PSR-17 factory: composer require nyholm/psr7, or name others in the option 'psr17' of the runtime");
        }
        return Handler::with($application, ...array_map(static fn (object|string $factory): object => is_string($factory) ? new $factory() : $factory, $factories));
    }
}
