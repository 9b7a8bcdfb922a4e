<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** Where the extension is, and how PHP starts anew with it. */
final class Extension
{
    /** Marks a PHP that was started anew, so that it is not done again and again. */
    private const RESTARTED = 'ferrite_cli.restarted';

    /** @param string|null $file null when it is loaded already */
    private function __construct(public readonly ?string $file)
    {
    }

    /** The extension that is loaded, or the first file of it that is there. */
    public static function find(): ?self
    {
        if (extension_loaded('ferrite')) {
            return new self(null);
        }
        foreach (self::places() as $file) {
            if (is_file($file)) {
                return new self($file);
            }
        }
        return null;
    }

    /** @return list<string> where it is looked for, in this order */
    public static function places(): array
    {
        $here = dirname(__DIR__);
        $named = getenv('FERRITE_EXTENSION');
        if ($named !== false && $named !== '') {
            return [realpath($named) ?: $named];
        }
        return [
            ini_get('extension_dir') . '/ferrite.so',
            // Where `make` and `cargo build --release` leave it.
            "$here/modules/ferrite.so",
            "$here/target/release/libferrite.so",
        ];
    }

    /** The version of the extension; null when it does not load. */
    public function version(): ?string
    {
        if ($this->file === null) {
            return \Ferrite\VERSION;
        }
        [$code, $version] = $this->trial();
        return $code === 0 && preg_match('/^\d+\.\d+\.\d+$/', $version) === 1 ? $version : null;
    }

    /** What PHP says when the extension does not load. */
    public function complaint(): string
    {
        return $this->trial()[1];
    }

    /** @return array{int, string} exit code and output of a PHP that loads it */
    private function trial(): array
    {
        $command = [PHP_BINARY, '-n', '-d', 'display_errors=stderr', '-d', "extension=$this->file", '-r', 'echo Ferrite\VERSION;'];
        exec(implode(' ', array_map(escapeshellarg(...), $command)) . ' 2>&1', $lines, $code);
        $lines = array_filter($lines, static fn (string $line): bool => trim($line) !== '');
        return [$code, trim((string) reset($lines))];
    }

    /** Whether opcache works in this process. */
    public static function opcacheWorks(): bool
    {
        return function_exists('opcache_get_status') && @opcache_get_status(false) !== false;
    }

    /** Whether there is an opcache that PHP could load. */
    public static function hasOpcache(): bool
    {
        return function_exists('opcache_get_status') || is_file(ini_get('extension_dir') . '/opcache.so');
    }

    /**
     * Starts PHP anew when the extension or opcache are missing; returns the exit code if that took place in
     * another process, and null when everything is there. As a rule this process becomes the new one.
     *
     * @param list<string> $argv
     * @param array<string, string> $ini further settings
     */
    public static function demand(array $argv, array $ini): ?int
    {
        $extension = self::find();
        if ($extension === null) {
            throw new Failure("The extension 'ferrite' was not found. Looked for: " . implode(', ', self::places()) . ".\n"
                . "  Install it (pie install ferrite/ferrite), or name its file: FERRITE_EXTENSION=/path/to/ferrite.so");
        }
        $settings = $ini;
        if ($extension->file !== null) {
            $settings['extension'] = $extension->file;
        }
        if (!self::opcacheWorks() && self::hasOpcache()) {
            if (!function_exists('opcache_get_status')) {
                $settings['zend_extension'] = 'opcache';
            }
            $settings['opcache.enable_cli'] = '1';
        }
        if (get_cfg_var(self::RESTARTED) === '1') {
            $extension->file === null || throw new Failure("PHP did not load $extension->file: " . $extension->complaint());
            return null;
        }
        return $settings === [] ? null : self::restart($argv, $settings);
    }

    /**
     * @param list<string> $argv
     * @param array<string, string> $settings
     */
    private static function restart(array $argv, array $settings): int
    {
        $arguments = [];
        foreach ($settings + [self::RESTARTED => '1'] as $name => $value) {
            array_push($arguments, '-d', "$name=$value");
        }
        // Ours first: what the user has said on the command line comes later, and wins.
        return self::execute([...$arguments, ...self::options($argv), ...$argv]);
    }

    /**
     * Runs PHP with these arguments, in this process if that can be.
     *
     * @param list<string> $arguments
     */
    public static function execute(array $arguments): int
    {
        if (function_exists('pcntl_exec')) {
            pcntl_exec(PHP_BINARY, $arguments, getenv());
            throw new Failure('PHP could not be started anew: ' . pcntl_strerror(pcntl_get_last_error()));
        }
        // Without pcntl it is a child. What Ctrl-C sends reaches both, and this one waits.
        $process = proc_open([PHP_BINARY, ...$arguments], [], $pipes);
        return $process === false ? throw new Failure('PHP could not be started anew') : proc_close($process);
    }

    /**
     * The options of PHP's before the script, such as `-d memory_limit=1G`.
     *
     * @param list<string> $argv
     * @return list<string>
     */
    private static function options(array $argv): array
    {
        $line = self::commandLine();
        return array_slice($line, 1, max(0, count($line) - count($argv) - 1));
    }

    /** @return list<string> the words that this process was started with; a server has a title in their place */
    public static function commandLine(): array
    {
        $line = (string) @file_get_contents('/proc/self/cmdline');
        return $line === '' ? [PHP_BINARY] : explode("\0", substr($line, 0, -1));
    }
}
