<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Bridge\Emitter;
use Symfony\Component\HttpFoundation\Response;

/** Runs an application for one request, and sends what it returns and what it has printed. */
final class Capture
{
    public function __construct(private readonly Emitter $emitter)
    {
    }

    /**
     * @param \Closure(): Response $handle
     * @param (\Closure(Response): void)|null $terminate what comes after the answer
     * @param (\Closure(): void)|null $onExit what comes after exit(), by which nothing of the application was finished
     */
    public function run(\Closure $handle, ?\Closure $terminate = null, ?\Closure $onExit = null): void
    {
        $level = ob_get_level();
        $isOver = false;
        $printed = '';
        // After exit() this is what runs next, and it may still answer. Buffers are gone by then, so what is printed is
        // kept elsewhere at once.
        register_shutdown_function(function () use (&$isOver, &$printed, $onExit): void {
            if (!$isOver) {
                $onExit === null || $onExit();
                $this->emitter->sendPrinted($printed);
            }
        });
        ob_start(static function (string $piece) use (&$printed): string {
            $printed .= $piece;
            return '';
        }, 1);
        try {
            $answer = $handle();
        } finally {
            // exit() does not come by here, an exception does.
            while (ob_get_level() > $level) {
                ob_end_flush();
            }
            $isOver = true;
        }
        $this->emitter->send($answer, $printed);
        $terminate === null || $terminate($answer);
    }
}
