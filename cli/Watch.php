<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/**
 * Looks for changes of PHP files in a process of its own, a child of the supervisor, and has the workers replaced.
 *
 * It ends when its parent is another one: then the supervisor is gone.
 */
final class Watch
{
    /** The word by which bin/ferrite is this process. */
    public const COMMAND = '__watch';

    private const INTERVAL_MICROSECONDS = 250_000;
    /** Of the time at most a tenth is spent looking. */
    private const PAUSE_PER_LOOK = 9;
    private const FILES_MAX = 50_000;
    /** Directories that are full of files which nobody edits, or which the application writes itself. */
    private const PASSED_OVER = ['vendor', 'node_modules', 'var', 'cache', 'storage', 'uploads'];
    /** Of vendor/ these say that packages were installed. */
    private const COMPOSER = ['vendor/composer/installed.php', 'vendor/composer/autoload_static.php'];
    private const SIGUSR1_BIT = 1 << 9;

    /** @var resource */
    private static $process;

    private function __construct(private readonly string $directory, private readonly ?string $script, private readonly string $marker)
    {
    }

    /**
     * Starts it for this process. Returns the path of the marker that it makes before it asks a server script to end.
     *
     * @param string|null $script a server script, which is started anew when it has changed
     */
    public static function start(string $directory, ?string $script): string
    {
        $marker = sys_get_temp_dir() . '/ferrite-restart-' . bin2hex(random_bytes(8));
        $command = [PHP_BINARY, '-n', dirname(__DIR__) . '/bin/ferrite', self::COMMAND, $directory, $marker, (string) $script];
        $process = proc_open($command, [['file', '/dev/null', 'r']], $pipes);
        if ($process === false) {
            throw new Failure('The process that looks for changes does not start. Leave out --watch.');
        }
        self::$process = $process;
        return $marker;
    }

    /** @param list<string> $words */
    public static function main(array $words): int
    {
        [$directory, $marker, $script] = $words + ['', '', ''];
        $watch = new self($directory, $script === '' ? null : $script, $marker);
        $parent = self::parent();
        $before = $watch->look();
        while (self::parent() === $parent) {
            $start = hrtime(true);
            clearstatcache();
            $now = $watch->look();
            $changed = self::difference($before, $now);
            // What has changed before the server listens to signals is looked at again then.
            if ($changed !== [] && self::listens($parent)) {
                $before = $now;
                $watch->tell($parent, $changed);
            }
            $spent = intdiv(hrtime(true) - $start, 1000);
            usleep(max(self::INTERVAL_MICROSECONDS, min($spent * self::PAUSE_PER_LOOK, 10_000_000)));
        }
        return 0;
    }

    /** @return array<string, string> what is known of each PHP file */
    private function look(): array
    {
        $files = [];
        foreach ($this->script === null ? self::COMPOSER : [...self::COMPOSER, $this->script] as $name) {
            $path = $name[0] === '/' ? $name : "$this->directory/$name";
            if (($stat = @stat($path)) !== false) {
                $files[$path] = self::version($stat);
            }
        }
        $folders = [$this->directory];
        while (($folder = array_pop($folders)) !== null && count($files) < self::FILES_MAX) {
            foreach (@scandir($folder) ?: [] as $name) {
                $path = "$folder/$name";
                if ($name[0] === '.' || in_array($name, self::PASSED_OVER, true)) {
                    // Hidden ones but for the file that has the settings of many an application.
                    if (!str_starts_with($name, '.env') || !is_file($path)) {
                        continue;
                    }
                } elseif (!preg_match('/\.(php|phtml|inc|twig|tpl)$/', $name)) {
                    if (is_dir($path) && !is_link($path)) {
                        $folders[] = $path;
                    }
                    continue;
                }
                if (($stat = @stat($path)) !== false) {
                    $files[$path] = self::version($stat);
                }
            }
        }
        return $files;
    }

    /** @param array<int|string, int> $stat */
    private static function version(array $stat): string
    {
        return "$stat[mtime] $stat[ctime] $stat[size] $stat[ino]";
    }

    /**
     * @param array<string, string> $before
     * @param array<string, string> $now
     * @return list<string> files that came, went or are others
     */
    private static function difference(array $before, array $now): array
    {
        return array_keys(array_diff_assoc($now, $before) + array_diff_key($before, $now));
    }

    /** @param list<string> $changed */
    private function tell(int $supervisor, array $changed): void
    {
        $first = str_starts_with($changed[0], "$this->directory/") ? substr($changed[0], strlen($this->directory) + 1) : $changed[0];
        $what = count($changed) === 1 ? "$first has changed" : sprintf('%s and %d more have changed', $first, count($changed) - 1);
        if ($this->script === null || !in_array($this->script, $changed, true)) {
            echo "  watch: $what: the workers are replaced\n";
            $this->signal($supervisor, 'USR1');
            return;
        }
        exec(escapeshellarg(PHP_BINARY) . ' -n -l ' . escapeshellarg($this->script) . ' 2>&1', $lines, $code);
        if ($code !== 0) {
            echo "  watch: $what, and is no PHP: ", trim(implode(' ', $lines)), ": the server goes on as it was\n";
            return;
        }
        echo "  watch: $what: the server starts anew\n";
        touch($this->marker);
        $this->signal($supervisor, 'TERM');
        // The process stays, and starts a watcher of its own.
        exit(0);
    }

    private function signal(int $pid, string $signal): void
    {
        // Without php.ini there is no posix extension where that is a file of its own.
        exec("kill -$signal $pid 2>/dev/null");
    }

    /** Whether the supervisor takes signals: before, SIGUSR1 would end it. */
    private static function listens(int $pid): bool
    {
        $status = (string) @file_get_contents("/proc/$pid/status");
        preg_match_all('/^Sig(?:Blk|Cgt):\s*([0-9a-f]+)/m', $status, $masks);
        foreach ($masks[1] as $mask) {
            // The lower half: 64 bits are too many for a signed number.
            if ((hexdec(substr($mask, -8)) & self::SIGUSR1_BIT) !== 0) {
                return true;
            }
        }
        return false;
    }

    private static function parent(): int
    {
        $stat = (string) file_get_contents('/proc/self/stat');
        return (int) explode(' ', substr($stat, strrpos($stat, ')') + 2))[1];
    }
}
