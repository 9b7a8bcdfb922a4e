<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** The command line is wrong. The exit code is 2. */
final class UsageError extends \RuntimeException
{
    /** @param list<string> $known */
    public static function unknown(string $what, string $word, array $known): self
    {
        $nearest = null;
        $least = PHP_INT_MAX;
        foreach ($known as $candidate) {
            $distance = levenshtein(substr($word, 0, 255), $candidate);
            if ($distance < $least) {
                [$least, $nearest] = [$distance, $candidate];
            }
        }
        // Further away than half of its letters it is no slip of the fingers.
        $hint = $nearest !== null && $least <= max(2, intdiv(strlen(ltrim($nearest, '-')), 2))
            ? "Did you mean '$nearest'?"
            : 'Known are: ' . implode(', ', $known) . '.';
        return new self("Unknown $what '$word'. $hint");
    }
}
