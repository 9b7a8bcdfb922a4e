<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Ferrite\Bridge\Emitter;
use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;
use Laravel\Octane\ApplicationFactory;
use Laravel\Octane\Contracts\DispatchesTasks;
use Laravel\Octane\RequestContext;
use Laravel\Octane\SequentialTaskDispatcher;
use Laravel\Octane\Worker;

/** The server: one of Octane's workers in each of Ferrite's. */
final class OctaneServer
{
    private ?Worker $worker = null;
    private ?FerriteClient $client = null;

    public function __construct(private readonly ServerStateFile $file)
    {
    }

    public function run(): void
    {
        $state = $this->file->read()['state'];
        $server = new Server($state['host'], $state['port'], \Ferrite\PROCESS, self::socketType($state['host']));
        // Files below public/ are sent by the reactor, which runs none of them.
        $server->set($state['options'] + $state['configured'] + [
            'max_request' => 500,
            'enable_static_handler' => true,
            'document_root' => $state['publicPath'],
        ]);
        if ($state['httpsPort'] !== null) {
            $tls = isset($state['configured']['ssl_cert_file']) ? [] : ['tls' => 'dev'];
            $server->listen($state['host'], $state['httpsPort'], self::socketType($state['host']) | \Ferrite\SSL)->set($tls);
        }
        $table = new CacheTable($state['cache']['folder'], $state['cache']['rows'], $state['cache']['bytes']);
        $table->clear();
        $server->on('Start', function (Server $server) use ($state): void {
            $this->file->writeState(['port' => $server->port] + $state);
            $this->file->writeProcessId(getmypid());
        });
        $server->on('Shutdown', function () use ($table): void {
            $this->file->delete();
            $table->clear();
        });
        $server->on('WorkerStart', fn (Server $server) => $this->boot($server, $state['basePath'], $table));
        $server->on('WorkerStop', fn () => $this->worker?->terminate());
        $server->on('Request', fn (Request $request, Response $response) => $this->handle($server, $request, $response));
        $server->start();
    }

    private function boot(Server $server, string $basePath, CacheTable $table): void
    {
        // The application is asked by clients, though PHP was started on the command line.
        foreach (['APP_RUNNING_IN_CONSOLE' => 'false', 'VAR_DUMPER_FORMAT' => 'html'] as $name => $value) {
            $_ENV[$name] = $_SERVER[$name] = $value;
        }
        $this->client = new FerriteClient($server);
        $this->worker = new Worker(new ApplicationFactory($basePath), $this->client);
        $this->worker->boot([
            Server::class => $server,
            // There are no task workers: tasks run here, one after another.
            DispatchesTasks::class => new SequentialTaskDispatcher(),
            'octane.cacheTable' => $table,
        ]);
    }

    private function handle(Server $server, Request $request, Response $response): void
    {
        $isOver = false;
        $printed = '';
        register_shutdown_function(function () use (&$isOver, &$printed, $server, $request, $response): void {
            if ($isOver) {
                return;
            }
            // exit(), as by dd(), has left Octane's sandbox as it was: nobody else shall be served from it.
            $server->stop();
            (new Emitter($request, $response))->sendPrinted($printed);
        });
        $level = ob_get_level();
        ob_start(static function (string $piece) use (&$printed): string {
            $printed .= $piece;
            return '';
        }, 1);
        try {
            [$marshalled, $context] = $this->client->marshalRequest(new RequestContext([
                'request' => $request,
                'response' => $response,
            ]));
            $this->worker->handle($marshalled, $context);
        } finally {
            // exit() does not come by here, an exception does.
            while (ob_get_level() > $level) {
                ob_end_clean();
            }
            $isOver = true;
        }
    }

    private static function socketType(string $host): int
    {
        return str_contains($host, ':') ? \Ferrite\SOCK_TCP6 : \Ferrite\SOCK_TCP;
    }
}
