<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Illuminate\Console\Command;

/** `php artisan octane:ferrite`: starts the server, and reloads, stops or shows the one that runs. */
final class FerriteCommand extends Command
{
    /** @var string */
    protected $signature = 'octane:ferrite
        {action=start : start, reload, stop or status}
        {--host=127.0.0.1 : The address to listen on}
        {--port=8000 : The port for HTTP; 0 picks a free one}
        {--https-port= : A port for HTTPS, HTTP/2 and HTTP/3}
        {--workers=auto : How many requests are handled at a time}
        {--max-requests= : After so many requests a worker is replaced; 500 without}';

    /** @var string */
    protected $description = 'Serve the application with Octane on Ferrite';

    public function handle(ServerProcessInspector $inspector, ServerStateFile $file): int
    {
        return match ((string) $this->argument('action')) {
            'start' => $this->start($inspector, $file),
            'reload' => $this->reload($inspector),
            'stop' => $this->stop($inspector),
            'status' => $this->status($inspector, $file),
            default => $this->fails('The action is start, reload, stop or status.', 2),
        };
    }

    private function start(ServerProcessInspector $inspector, ServerStateFile $file): int
    {
        if (!extension_loaded('ferrite')) {
            return $this->fails('The extension ferrite is not loaded: add extension=ferrite to php.ini, or start with php -d extension=ferrite artisan octane:ferrite');
        }
        if ($inspector->serverIsRunning()) {
            return $this->fails('The server runs already; `octane:ferrite stop` ends it.');
        }
        $workers = (string) $this->option('workers');
        foreach (['port' => 65535, 'https-port' => 65535, 'max-requests' => PHP_INT_MAX] as $name => $max) {
            $given = $this->option($name);
            if ($given !== null && filter_var($given, FILTER_VALIDATE_INT, ['options' => ['min_range' => 0, 'max_range' => $max]]) === false) {
                return $this->fails("--$name is a number from 0 to $max, '$given' was given.", 2);
            }
        }
        if ($workers !== 'auto' && filter_var($workers, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]) === false) {
            return $this->fails("--workers is a number from 1, or auto; '$workers' was given.", 2);
        }
        $config = $this->laravel->make('config');
        $httpsPort = $this->option('https-port');
        $file->writeState([
            'basePath' => $this->laravel->basePath(),
            'publicPath' => $this->laravel->make('path.public'),
            'host' => (string) $this->option('host'),
            'port' => (int) $this->option('port'),
            'httpsPort' => $httpsPort === null ? null : (int) $httpsPort,
            'options' => ($workers === 'auto' ? [] : ['worker_num' => (int) $workers])
                + ($this->option('max-requests') === null ? [] : ['max_request' => (int) $this->option('max-requests')]),
            'configured' => (array) $config->get('octane.ferrite.options', []),
            'cache' => [
                'folder' => $this->laravel->storagePath() . '/framework/octane-cache',
                'rows' => (int) $config->get('octane.cache.rows', 1000),
                'bytes' => (int) $config->get('octane.cache.bytes', 10000),
            ],
        ]);
        $arguments = [...self::optionsOfPhp(), dirname(__DIR__) . '/bin/ferrite-octane', $file->path()];
        // This process becomes the server: who has started it, a shell or a service manager, has its signals and its exit code.
        pcntl_exec(PHP_BINARY, $arguments, ['LARAVEL_OCTANE' => '1'] + getenv());
        return $this->fails('PHP cannot be started anew: ' . pcntl_strerror(pcntl_get_last_error()));
    }

    private function reload(ServerProcessInspector $inspector): int
    {
        if (!$inspector->serverIsRunning()) {
            return $this->fails('The server does not run.');
        }
        $inspector->reloadServer();
        $this->info('The workers are being replaced.');
        return 0;
    }

    private function stop(ServerProcessInspector $inspector): int
    {
        if (!$inspector->stopServer()) {
            return $this->fails('The server does not run.');
        }
        // It finishes what is in flight for as long as `max_wait_time` says.
        $deadline = microtime(true) + 60;
        while ($inspector->serverIsRunning()) {
            if (microtime(true) > $deadline) {
                return $this->fails('The server was told to stop, and has not ended within a minute.');
            }
            usleep(50_000);
        }
        $this->info('The server has stopped.');
        return 0;
    }

    private function status(ServerProcessInspector $inspector, ServerStateFile $file): int
    {
        $pid = $inspector->process();
        if ($pid === null) {
            return $this->fails('The server does not run.');
        }
        $state = $file->read()['state'];
        $this->info("The server runs at http://{$state['host']}:{$state['port']}/, process $pid.");
        return 0;
    }

    private function fails(string $message, int $code = 1): int
    {
        $this->error($message);
        return $code;
    }

    /**
     * What PHP was given on the command line before the script: settings, the extension itself.
     *
     * @return list<string>
     */
    private static function optionsOfPhp(): array
    {
        $given = array_slice(explode("\0", rtrim((string) @file_get_contents('/proc/self/cmdline'), "\0")), 1);
        $options = [];
        while ($given !== [] && $given[0] !== '--' && str_starts_with($given[0], '-')) {
            $option = $options[] = array_shift($given);
            if (in_array($option, ['-d', '-c'], true) && $given !== []) {
                $options[] = array_shift($given);
            }
        }
        return $options;
    }
}
