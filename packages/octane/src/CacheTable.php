<?php

declare(strict_types=1);

namespace Ferrite\Octane;

/**
 * What Octane's cache store keeps its rows in: the same for all workers, and bounded. A row is a file, which is replaced
 * as a whole; so nobody reads half of one, whatever becomes of who writes it.
 *
 * @implements \IteratorAggregate<string, array{value: string, expiration: int}>
 */
final class CacheTable implements \IteratorAggregate, \Countable
{
    /** @param int $bytes of the value of one row */
    public function __construct(private readonly string $folder, private readonly int $rows, private readonly int $bytes)
    {
    }

    /** @return array{value: string, expiration: int}|false */
    public function get(string $key): array|false
    {
        $row = $this->read($this->file($key));
        // Another key with the same name of a file is not this one.
        return $row !== null && $row[0] === $key ? $row[1] : false;
    }

    /**
     * False when there is no room for it.
     *
     * @param array{value: string, expiration: int} $row
     */
    public function set(string $key, array $row): bool
    {
        if (strlen($row['value']) > $this->bytes) {
            throw new \LengthException("The value of '$key' has " . strlen($row['value']) . " bytes, octane.cache.bytes allows $this->bytes");
        }
        $file = $this->file($key);
        if (!is_file($file) && count($this) >= $this->rows && !$this->dropExpired()) {
            return false;
        }
        is_dir($this->folder) || @mkdir($this->folder, 0700, true);
        $new = $file . '.' . getmypid();
        if (@file_put_contents($new, serialize([$key, $row])) === false || !@rename($new, $file)) {
            @unlink($new);
            return false;
        }
        return true;
    }

    public function del(string $key): bool
    {
        return @unlink($this->file($key));
    }

    public function exists(string $key): bool
    {
        return $this->get($key) !== false;
    }

    public function count(): int
    {
        return count($this->files());
    }

    public function getIterator(): \Generator
    {
        foreach ($this->files() as $file) {
            $row = $this->read($file);
            if ($row !== null) {
                yield $row[0] => $row[1];
            }
        }
    }

    /** Forgets everything, as before the first worker. */
    public function clear(): void
    {
        array_map(unlink(...), glob("$this->folder/*.row*") ?: []);
    }

    private function dropExpired(): bool
    {
        $dropped = false;
        foreach ($this as $key => $row) {
            $dropped = $row['expiration'] <= time() && $this->del($key) || $dropped;
        }
        return $dropped;
    }

    /** @return array{string, array{value: string, expiration: int}}|null */
    private function read(string $file): ?array
    {
        $text = @file_get_contents($file);
        $row = $text === false ? false : unserialize($text, ['allowed_classes' => false]);
        return is_array($row) ? $row : null;
    }

    /** @return list<string> */
    private function files(): array
    {
        return glob("$this->folder/*.row") ?: [];
    }

    private function file(string $key): string
    {
        return $this->folder . '/' . hash('sha256', $key) . '.row';
    }
}
