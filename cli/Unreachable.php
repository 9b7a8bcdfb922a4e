<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** No server answers. The exit code is 3. */
final class Unreachable extends \RuntimeException
{
}
