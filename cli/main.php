<?php

/** The program `ferrite`: what its words are, and what each of them does. */

declare(strict_types=1);

namespace Ferrite\Cli;

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, __NAMESPACE__ . '\\')) {
        $file = __DIR__ . '/' . substr($class, strlen(__NAMESPACE__) + 1) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});

const HELP = <<<'TEXT'
    Serves PHP applications over HTTP/1.1, HTTP/2 and HTTP/3.

    usage: ferrite serve [OPTION ...] [DIRECTORY | FILE]
           ferrite doctor [OPTION ...] [DIRECTORY | FILE]
           ferrite ctl [OPTION ...] COMMAND
           ferrite COMMAND --help

      serve      serve the application in a directory (default: this one)
      doctor     look for what commonly goes wrong, and say what to do
      ctl        ask a running server how it stands, or tell it to reload, drain or stop
      --version  say which versions these are
      --help     this text

    Exit codes: 0 done, 1 it did not work, 2 the command line is wrong.
    TEXT;

/**
 * Runs a command. Returns its exit code, or the path of a server script that is to be run.
 *
 * @param list<string> $argv
 */
function main(array $argv): int|string
{
    $output = new Output();
    $words = array_slice($argv, 1);
    $command = array_shift($words);
    try {
        return match ($command) {
            'serve' => (new Serve($output))->run($argv, $words),
            'doctor' => (new Doctor($output))->run($words),
            'ctl' => (new Ctl($output))->run($words),
            Watch::COMMAND => Watch::main($words),
            '--version', '-V' => version($output),
            null, '--help', '-h', 'help' => $output->text(HELP),
            default => throw UsageError::unknown('command', $command, ['serve', 'doctor', 'ctl', '--help', '--version']),
        };
    } catch (UsageError $error) {
        $output->error($error->getMessage());
        return 2;
    } catch (Failure $failure) {
        $output->error($failure->getMessage());
        return 1;
    }
}

function version(Output $output): int
{
    $extension = Extension::find();
    $version = $extension === null ? 'not found' : ($extension->version() ?? 'does not load');
    return $output->text("Ferrite $version, PHP " . PHP_VERSION);
}
