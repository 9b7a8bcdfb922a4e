<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** A server script, which bin/ferrite runs at its top level; with --watch it is started anew when it has changed. */
final class ServerScript
{
    private static string $file;

    public static function file(): string
    {
        return self::$file;
    }

    /**
     * Prepares its run, as `php FILE` would: its arguments, and its folder.
     *
     * @param list<string> $words
     * @param string|null $marker the file by which the watcher asks for a start anew; null without one
     */
    public static function prepare(string $file, array $words, ?string $marker): void
    {
        self::$file = $file;
        $_SERVER['argv'] = $GLOBALS['argv'] = [$file, ...$words];
        $_SERVER['argc'] = $GLOBALS['argc'] = 1 + count($words);
        $_SERVER['SCRIPT_NAME'] = $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $_SERVER['PATH_TRANSLATED'] = $file;
        if ($marker === null) {
            return;
        }
        $pid = getmypid();
        $arguments = array_slice(Extension::commandLine(), 1);
        register_shutdown_function(static function () use ($pid, $marker, $arguments): void {
            // Workers end here as well.
            if (getmypid() === $pid && is_file($marker)) {
                unlink($marker);
                exit(Extension::execute($arguments));
            }
        });
    }
}
