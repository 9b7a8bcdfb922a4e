<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Laravel\Octane\Contracts\ServerProcessInspector as Contract;

/** Asks and signals the server that the state file names. */
final class ServerProcessInspector implements Contract
{
    public function __construct(private readonly ServerStateFile $file)
    {
    }

    public function serverIsRunning(): bool
    {
        return $this->process() !== null;
    }

    /** The process id of the supervisor, if it runs. */
    public function process(): ?int
    {
        ['masterProcessId' => $pid, 'masterStartTime' => $since] = $this->file->read();
        return $pid !== null && $since !== null && ServerStateFile::startTime($pid) === $since ? $pid : null;
    }

    /** Replaces the workers; no request fails. */
    public function reloadServer(): void
    {
        $pid = $this->process() ?? throw new \RuntimeException('The server does not run.');
        posix_kill($pid, SIGUSR1) ?: throw new \RuntimeException("The server, process $pid, cannot be signalled: it is another user's");
    }

    /** Has it end in an orderly way; it finishes what is in flight. */
    public function stopServer(): bool
    {
        $pid = $this->process();
        return $pid !== null && posix_kill($pid, SIGTERM);
    }
}
