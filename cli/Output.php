<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** What the program says: in colours on a terminal, and nowhere else. */
final class Output
{
    private const COLOURS = ['bold' => 1, 'red' => 31, 'green' => 32, 'yellow' => 33];

    public function text(string $text): int
    {
        // Not by STDOUT: a stream has a position of its own, and a file that processes share is overwritten.
        echo "$text\n";
        return 0;
    }

    public function error(string $message): void
    {
        fwrite(STDERR, $this->paint('red', 'error:', STDERR) . " $message\n");
    }

    public function warning(string $message): void
    {
        fwrite(STDERR, $this->paint('yellow', 'warning:', STDERR) . " $message\n");
    }

    /** A line of the banner. */
    public function fact(string $name, string $value): void
    {
        echo '  ', $this->paint('bold', str_pad($name, 9)), " $value\n";
    }

    /** @param resource $stream where it is written to */
    public function paint(string $colour, string $text, $stream = STDOUT): string
    {
        $plain = getenv('NO_COLOR') !== false && getenv('NO_COLOR') !== '';
        if ($plain || getenv('TERM') === 'dumb' || !stream_isatty($stream)) {
            return $text;
        }
        return "\e[" . self::COLOURS[$colour] . "m$text\e[0m";
    }
}
