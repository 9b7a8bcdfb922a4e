<?php

declare(strict_types=1);

namespace Ferrite\Cli;

use Ferrite\Http\Server;

/** `ferrite serve`. */
final class Serve
{
    private const HELP = <<<'TEXT'
        Serves the application in a directory over HTTP/1.1, HTTP/2 and HTTP/3.

        usage: ferrite serve [OPTION ...] [DIRECTORY | FILE] [-- ARGUMENT ...]     (default: this directory)

          --host ADDRESS   where to listen (default: 127.0.0.1); 0.0.0.0 or :: for other machines
          --port PORT      for http (default: 8080, or the next that is free); 0: any that is free
          --tls-port PORT  for https and HTTP/3 (default: 8443, or the next that is free)
          --no-tls         no https
          --workers N      how many requests PHP handles at once (default: one per processor, at least 4)
          --watch          replace the workers when a PHP file changes
          --admin PLACE    answer `ferrite ctl` and Prometheus there: the path of a Unix socket, or 127.0.0.1:PORT
          --help           this text

        It finds by itself what there is: a server script (ferrite.php, server.php), Laravel, Symfony,
        WordPress, DokuWiki, public/index.php, index.php, or a folder of files; or it is told by FILE: a
        front script, or a server script, which chooses its ports itself and gets what is behind `--`.

        The certificate is for development: self-signed, for localhost. It is made once, and kept in
        $XDG_CACHE_HOME/ferrite or ~/.cache/ferrite. Options of PHP's are taken over:
        php -d memory_limit=1G vendor/bin/ferrite serve
        TEXT;

    private const OPTIONS = ['host' => true, 'port' => true, 'tls-port' => true, 'no-tls' => false, 'workers' => true, 'watch' => false,
        'admin' => true];
    public const PORT = 8080;
    public const TLS_PORT = 8443;
    /** How many ports are tried, from the default one on. */
    private const PORTS_TRIED = 20;
    private const WORKERS_LEAST = 4;
    private const WORKERS_MOST = 1024;
    private const MEMORY_LIMIT = '256M';
    private const BODY_BYTES = 8 << 20;

    public function __construct(private readonly Output $output)
    {
    }

    /**
     * @param list<string> $argv the whole command line
     * @param list<string> $words what follows the name of the command
     * @return int|string the exit code, or the path of a server script to run
     */
    public function run(array $argv, array $words): int|string
    {
        $arguments = new Arguments($words, self::OPTIONS, wordsMax: 1);
        if ($arguments->has('help')) {
            return $this->output->text(self::HELP);
        }
        $ports = [$arguments->number('port', 0, 65535), $arguments->number('tls-port', 0, 65535)];
        $workers = $arguments->number('workers', 1, self::WORKERS_MOST);
        $path = $arguments->words[0] ?? '.';
        $project = Project::find($path);
        if (!$project->isServerScript && $arguments->behind !== []) {
            throw new UsageError("$project->found takes no arguments: '{$arguments->behind[0]}' is one too many.");
        }
        if ($project->isServerScript) {
            foreach (['host', 'port', 'tls-port', 'no-tls', 'workers', 'admin'] as $option) {
                $arguments->has($option) && throw new UsageError("$project->root/$project->script is a server script, which chooses"
                    . " its ports and workers itself: leave out --$option, or name a front script.");
            }
        }
        // A change shall be seen by the next request, not two seconds later.
        $code = Extension::demand($argv, ($arguments->has('watch') ? ['opcache.revalidate_freq' => '0'] : []) + self::names($project));
        if ($code !== null) {
            return $code;
        }
        $this->output->text('');
        $this->output->fact('found', "$project->found in $project->root");
        $this->tellOpcache();
        $directory = is_dir($path) ? realpath($path) : $project->root;
        return $project->isServerScript
            ? $this->prepareScript($project, $arguments->behind, $arguments->has('watch') ? $directory : null)
            : $this->serve($project, $arguments, $ports, $workers, $directory);
    }

    /** @return array<string, string> the INI entry by which Swoole's names are there, for a script that has them */
    private static function names(Project $project): array
    {
        if (!$project->hasSwooleNames || extension_loaded('ferrite') && ini_get('ferrite.swoole_aliases')) {
            return [];
        }
        if (extension_loaded('swoole')) {
            throw new Failure("$project->root/$project->script has Swoole's names, and the extension swoole is loaded: its classes are"
                . ' Swoole\'s own. Take swoole out of php.ini to serve it by Ferrite.');
        }
        return ['ferrite.swoole_aliases' => '1'];
    }

    /** @param list<string> $words arguments of the script */
    private function prepareScript(Project $project, array $words, ?string $watched): string
    {
        $file = "$project->root/$project->script";
        $marker = null;
        if ($watched !== null) {
            $marker = Watch::start($watched, $file);
            $this->output->fact('watch', "PHP files in $watched; a change of $project->script starts the server anew");
        }
        ServerScript::prepare($file, $words, $marker);
        return $file;
    }

    /** @param array{?int, ?int} $ports */
    private function serve(Project $project, Arguments $arguments, array $ports, ?int $workers, string $directory): int
    {
        $host = $arguments->text('host', '127.0.0.1');
        $tls = !$arguments->has('no-tls');
        try {
            $server = $this->bind($host, $ports, $tls);
            $server->set($this->settings($project, $workers));
            if ($arguments->has('admin')) {
                $place = self::absolute($arguments->text('admin', ''));
                $server->set(['admin_listen' => $place]);
                $this->output->fact('admin', "ferrite ctl --socket $place status");
            }
            if ($arguments->has('watch')) {
                Watch::start($directory, null);
                $this->output->fact('watch', "PHP files in $directory; a change replaces the workers");
            }
            $server->start();
        } catch (\Ferrite\Exception | \ValueError $error) {
            throw new Failure($error->getMessage(), previous: $error);
        }
        return 0;
    }

    /** A path as it is from everywhere; an address stays what it is. */
    private static function absolute(string $place): string
    {
        $isPath = str_contains($place, '/') || !str_contains($place, ':');
        return $isPath && !str_starts_with($place, '/') ? getcwd() . "/$place" : $place;
    }

    /** @return array<string, mixed> */
    private function settings(Project $project, ?int $workers): array
    {
        $settings = ['document_root' => $project->root] + $project->settings;
        $isUnbounded = ini_parse_quantity((string) ini_get('memory_limit')) < 0;
        $isUnbounded && ini_set('memory_limit', self::MEMORY_LIMIT);
        if ($project->script === null) {
            return $settings + ['worker_num' => $workers ?? 1];
        }
        $settings += ['script' => $project->script, 'worker_num' => $workers ?? max(self::WORKERS_LEAST, self::processors())];
        $settings['package_max_length'] = max(self::BODY_BYTES, ini_parse_quantity((string) ini_get('post_max_size')));
        $this->output->fact('runs', "$project->script for every path that is no file; each request starts anew, as under php-fpm");
        if ($isUnbounded) {
            $settings['php_ini'] = ['memory_limit' => self::MEMORY_LIMIT];
            $this->output->fact('memory', self::MEMORY_LIMIT . ' per request, as PHP has no memory_limit here (php -d memory_limit=1G … changes it)');
        }
        return $settings;
    }

    /** @param array{?int, ?int} $ports */
    private function bind(string $host, array $ports, bool $tls): Server
    {
        $host = trim($host, '[]');
        $type = str_contains($host, ':') ? \Ferrite\SOCK_TCP6 : \Ferrite\SOCK_TCP;
        [$port, $tlsPort] = $ports;
        $server = $this->firstFree($port, self::PORT, static fn (int $port): Server => new Server($host, $port, \Ferrite\PROCESS, $type));
        if ($tls) {
            // Who has asked for any port has no use for a certain one.
            $tlsPort ??= $port === 0 ? 0 : null;
            $second = $this->firstFree($tlsPort, self::TLS_PORT, static fn (int $port) => $server->listen($host, $port, $type | \Ferrite\SSL));
            $certificate = $this->certificate($host);
            $second->set($certificate === null
                ? ['tls' => 'dev']
                : ['ssl_cert_file' => $certificate->certificate, 'ssl_key_file' => $certificate->key]);
        }
        return $server;
    }

    /**
     * @template T
     * @param \Closure(int): T $bind
     * @return T
     */
    private function firstFree(?int $wanted, int $default, \Closure $bind): mixed
    {
        if ($wanted !== null) {
            return $bind($wanted);
        }
        for ($port = $default; ; $port++) {
            try {
                return $bind($port);
            } catch (\Ferrite\Exception $error) {
                // An address that is not this machine's is not better at the next port.
                if ($port === $default + self::PORTS_TRIED || !str_contains($error->getMessage(), 'in use')) {
                    throw $error;
                }
            }
        }
    }

    private function certificate(string $host): ?Certificate
    {
        $why = null;
        $certificate = null;
        try {
            $certificate = function_exists('openssl_pkey_new') ? Certificate::for($host) : null;
            $why = 'PHP lacks the extension openssl';
        } catch (Failure $failure) {
            $why = $failure->getMessage();
        }
        if ($certificate === null) {
            $this->output->fact('https', "a self-signed certificate for localhost that is made at each start, because $why");
            return null;
        }
        $this->output->fact('https', "self-signed certificate $certificate->certificate (curl --cacert; browsers: import it once)");
        return $certificate;
    }

    private function tellOpcache(): void
    {
        if (!Extension::opcacheWorks()) {
            $how = Extension::hasOpcache() ? 'it was switched off' : 'it is not installed: apt-get install php-opcache';
            $this->output->fact('opcache', "off, so every request compiles the application anew; $how");
        }
    }

    private static function processors(): int
    {
        $list = (string) @file_get_contents('/sys/devices/system/cpu/online');
        $count = 0;
        foreach (explode(',', trim($list)) as $range) {
            [$first, $last] = explode('-', $range) + [1 => $range];
            $count += max(0, (int) $last - (int) $first) + 1;
        }
        return max(1, $count);
    }
}
