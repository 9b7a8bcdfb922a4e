<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** What `ferrite doctor` has found out about one thing, and what to do about it. */
final class Finding
{
    public const OK = 'ok';
    /** It works, but worse than it could. */
    public const WARNING = 'warning';
    /** It does not work. */
    public const ERROR = 'error';

    private function __construct(
        public readonly string $level,
        public readonly string $subject,
        public readonly string $says,
        public readonly string $advice = '',
    ) {
    }

    public static function ok(string $subject, string $says): self
    {
        return new self(self::OK, $subject, $says);
    }

    public static function warning(string $subject, string $says, string $advice): self
    {
        return new self(self::WARNING, $subject, $says, $advice);
    }

    public static function error(string $subject, string $says, string $advice): self
    {
        return new self(self::ERROR, $subject, $says, $advice);
    }
}
