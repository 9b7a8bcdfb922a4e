<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** Something did not work; the message says what to do. The exit code is 1. */
final class Failure extends \RuntimeException
{
}
