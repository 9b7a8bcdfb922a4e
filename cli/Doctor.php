<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** `ferrite doctor`. */
final class Doctor
{
    private const HELP = <<<'TEXT'
        Looks for what commonly goes wrong, and says what to do about it.

        usage: ferrite doctor [OPTION ...] [DIRECTORY | FILE]     (default: this directory)

          --host ADDRESS   the address that will be served (default: 127.0.0.1)
          --port PORT      the port for http (default: 8080)
          --tls-port PORT  the port for https and HTTP/3 (default: 8443)
          --strict         also fail for what is only worse than it could be
          --help           this text

        Exit codes: 0 nothing is wrong, 1 something is, 2 the command line is wrong.
        TEXT;

    private const OPTIONS = ['host' => true, 'port' => true, 'tls-port' => true, 'strict' => false];
    private const COLOURS = [Finding::OK => 'green', Finding::WARNING => 'yellow', Finding::ERROR => 'red'];

    public function __construct(private readonly Output $output)
    {
    }

    /** @param list<string> $words what follows the name of the command */
    public function run(array $words): int
    {
        $arguments = new Arguments($words, self::OPTIONS, wordsMax: 1);
        if ($arguments->has('help')) {
            return $this->output->text(self::HELP);
        }
        $arguments->behind === [] || throw new UsageError("Too many arguments: '{$arguments->behind[0]}' is one more than is known.");
        $host = $arguments->text('host', '127.0.0.1');
        $ports = [$arguments->number('port', 1, 65535), $arguments->number('tls-port', 1, 65535)];
        $path = $arguments->words[0] ?? null;
        $findings = [
            ...Machine::findings(Facts::read()),
            ...self::application($path),
            ...Ports::findings($host, $ports[0], $ports[1]),
        ];
        return $this->tell($findings, $arguments->has('strict'));
    }

    /** @param list<Finding> $findings */
    private function tell(array $findings, bool $strict): int
    {
        $count = array_fill_keys(array_keys(self::COLOURS), 0);
        foreach ($findings as $finding) {
            $count[$finding->level]++;
            $level = $this->output->paint(self::COLOURS[$finding->level], str_pad($finding->level, 8));
            $this->output->text("$level " . str_pad($finding->subject, 13) . " $finding->says");
            if ($finding->advice !== '') {
                $this->output->text(str_repeat(' ', 23) . $finding->advice);
            }
        }
        $this->output->text(sprintf(
            '%d ok, %d %s, %d %s',
            $count[Finding::OK],
            $count[Finding::WARNING],
            $count[Finding::WARNING] === 1 ? 'warning' : 'warnings',
            $count[Finding::ERROR],
            $count[Finding::ERROR] === 1 ? 'error' : 'errors',
        ));
        return $count[Finding::ERROR] > 0 || $strict && $count[Finding::WARNING] > 0 ? 1 : 0;
    }

    /**
     * What is to be served, and the extensions that it wants.
     *
     * @return list<Finding>
     */
    private static function application(?string $path): array
    {
        try {
            $project = Project::find($path ?? '.');
        } catch (Failure $failure) {
            return [$path === null
                ? Finding::ok('application', 'nothing to serve in this directory')
                : Finding::error('application', $failure->getMessage(), 'Name another directory.')];
        }
        $findings = [Finding::ok('application', "$project->found in $project->root")];
        $directory = is_dir($path ?? '.') ? realpath($path ?? '.') : $project->root;
        $loaded = array_map('strtolower', get_loaded_extensions());
        foreach (self::wanted($directory, $project) as $extension => $by) {
            // The extension itself is judged above; opcache has a name with a blank.
            if (!in_array($extension, [...$loaded, 'ferrite', 'zend-opcache'], true)) {
                $findings[] = Finding::error('extension', "$extension is missing, which $by needs", self::install($extension));
            }
        }
        return $findings;
    }

    /** @return array<string, string> names of extensions, and what wants them */
    private static function wanted(string $directory, Project $project): array
    {
        $wanted = [];
        $composer = self::json("$directory/composer.json");
        $lock = self::json("$directory/composer.lock");
        $packages = [['name' => 'composer.json'] + $composer, ...($lock['packages'] ?? [])];
        foreach ($packages as $package) {
            foreach (array_keys((array) ($package['require'] ?? [])) as $name) {
                if (str_starts_with((string) $name, 'ext-')) {
                    $wanted[strtolower(substr((string) $name, 4))] ??= (string) ($package['name'] ?? 'composer.lock');
                }
            }
        }
        // What a package of polyfills stands in for is not missing.
        foreach ($lock['packages'] ?? [] as $package) {
            foreach (array_keys((array) ($package['provide'] ?? [])) as $name) {
                unset($wanted[substr((string) $name, 4)]);
            }
            if (str_starts_with((string) ($package['name'] ?? ''), 'symfony/polyfill-')) {
                unset($wanted[substr((string) $package['name'], strlen('symfony/polyfill-'))]);
            }
        }
        if (str_starts_with($project->found, 'WordPress')) {
            $wanted += ['mysqli' => 'WordPress'];
        }
        return $wanted;
    }

    /** @return array<string, mixed> */
    private static function json(string $file): array
    {
        return is_file($file) ? (array) json_decode((string) @file_get_contents($file), true) : [];
    }

    private static function install(string $extension): string
    {
        $package = ['mysqli' => 'mysql', 'pdo_mysql' => 'mysql', 'pdo_pgsql' => 'pgsql', 'pdo_sqlite' => 'sqlite3', 'dom' => 'xml',
            'simplexml' => 'xml', 'xmlwriter' => 'xml', 'xmlreader' => 'xml'][$extension] ?? str_replace('_', '-', $extension);
        return sprintf('apt-get install php%d.%d-%s, or the package that your distribution has it in.', PHP_MAJOR_VERSION, PHP_MINOR_VERSION, $package);
    }
}
