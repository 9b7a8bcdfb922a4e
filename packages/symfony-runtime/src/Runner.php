<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Symfony\Component\Runtime\RunnerInterface;

/** Runs a server until it is stopped. */
final class Runner implements RunnerInterface
{
    /** @param callable(Request, Response): void $handler */
    public function __construct(private readonly ServerSettings $settings, private readonly mixed $handler)
    {
    }

    public function run(): int
    {
        $server = $this->settings->server();
        $handler = $this->handler;
        if ($handler instanceof KernelHandler) {
            $server->on('WorkerStart', $handler->boot(...));
        }
        $server->on('Request', $handler instanceof \Closure ? $handler : $handler->__invoke(...));
        $server->start();
        return 0;
    }
}
