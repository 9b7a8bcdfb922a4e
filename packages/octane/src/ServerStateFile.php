<?php

declare(strict_types=1);

namespace Ferrite\Octane;

/** The file that says what the server is started with, and which process it is. */
final class ServerStateFile
{
    public function __construct(private readonly string $path)
    {
    }

    public function path(): string
    {
        return $this->path;
    }

    /** @return array{masterProcessId: ?int, masterStartTime: ?string, state: array<string, mixed>} what is not there is null or empty */
    public function read(): array
    {
        $text = is_file($this->path) ? @file_get_contents($this->path) : false;
        $read = $text === false ? null : json_decode($text, true);
        $read = is_array($read) ? $read : [];
        $pid = $read['masterProcessId'] ?? null;
        $since = $read['masterStartTime'] ?? null;
        $state = $read['state'] ?? [];
        return [
            'masterProcessId' => is_int($pid) && $pid > 1 ? $pid : null,
            'masterStartTime' => is_string($since) ? $since : null,
            'state' => is_array($state) ? $state : [],
        ];
    }

    /** @param array<string, mixed> $state */
    public function writeState(array $state): void
    {
        $this->write(['state' => $state] + $this->read());
    }

    public function writeProcessId(int $pid): void
    {
        $this->write(['masterProcessId' => $pid, 'masterStartTime' => self::startTime($pid)] + $this->read());
    }

    public function delete(): void
    {
        @unlink($this->path);
    }

    /** When a process began, in ticks since the machine's start: its number alone may be another's by now. */
    public static function startTime(int $pid): ?string
    {
        $stat = @file_get_contents("/proc/$pid/stat");
        // The name of the program is in brackets, and may have any character in it.
        $fields = $stat === false ? [] : explode(' ', substr($stat, (int) strrpos($stat, ')') + 2));
        return $fields[19] ?? null;
    }

    /** @param array<string, mixed> $content */
    private function write(array $content): void
    {
        $new = "$this->path." . getmypid();
        $text = json_encode($content, JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR);
        // Settings are nobody else's; and nobody reads half a file.
        $former = umask(0077);
        $isWritten = @file_put_contents($new, $text) === strlen($text) && rename($new, $this->path);
        umask($former);
        if (!$isWritten) {
            @unlink($new);
            throw new \RuntimeException("$this->path cannot be written: make its directory writable, or name another file in octane.ferrite.state_file");
        }
    }
}
