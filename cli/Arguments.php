<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** The options of a command, and the words between them. */
final class Arguments
{
    /** @var array<string, string|true> by name, without dashes */
    public array $options = [];
    /** @var list<string> */
    public array $words = [];
    /** @var list<string> what is behind `--` */
    public array $behind = [];

    /**
     * Takes a command line apart. An option with a value may be written `--port 80` or `--port=80`.
     *
     * @param list<string> $line
     * @param array<string, bool> $known names of options, and whether each has a value
     * @param int $wordsMax how many words there may be beside options
     */
    public function __construct(array $line, array $known, int $wordsMax)
    {
        $known += ['help' => false];
        while ($line !== []) {
            $word = array_shift($line);
            if ($word === '--') {
                $this->behind = $line;
                break;
            }
            if ($word === '-h') {
                $word = '--help';
            }
            if (!str_starts_with($word, '-') || $word === '-') {
                $this->words[] = $word;
                continue;
            }
            [$name, $value] = explode('=', $word, 2) + [1 => null];
            $option = substr($name, 2);
            if (!str_starts_with($name, '--') || !isset($known[$option])) {
                $names = array_map(static fn (string $option): string => "--$option", array_keys($known));
                throw UsageError::unknown('option', $name, $names);
            }
            if (!$known[$option]) {
                $value === null || throw new UsageError("The option $name has no value.");
                $this->options[$option] = true;
                continue;
            }
            $value ??= array_shift($line) ?? throw new UsageError("The option $name needs a value.");
            $this->options[$option] = $value;
        }
        if (count($this->words) > $wordsMax) {
            throw new UsageError("Too many arguments: '" . $this->words[$wordsMax] . "' is one more than is known.");
        }
    }

    public function has(string $option): bool
    {
        return isset($this->options[$option]);
    }

    public function text(string $option, string $default): string
    {
        return (string) ($this->options[$option] ?? $default);
    }

    /** A whole number within bounds; null when the option is not there. */
    public function number(string $option, int $least, int $most): ?int
    {
        if (!isset($this->options[$option])) {
            return null;
        }
        $number = filter_var($this->options[$option], FILTER_VALIDATE_INT, ['options' => ['min_range' => $least, 'max_range' => $most]]);
        if ($number === false) {
            throw new UsageError("The option --$option is a number from $least to $most, '{$this->options[$option]}' given.");
        }
        return $number;
    }
}
