<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Illuminate\Support\ServiceProvider;

/** Makes the command known to artisan, and the file that says where the server is. */
final class FerriteServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->bind(ServerStateFile::class, static fn ($app): ServerStateFile => new ServerStateFile(
            (string) $app['config']->get('octane.ferrite.state_file', $app->storagePath() . '/logs/octane-ferrite-state.json'),
        ));
        $this->app->bind(ServerProcessInspector::class, static fn ($app): ServerProcessInspector => new ServerProcessInspector(
            $app->make(ServerStateFile::class),
        ));
    }

    public function boot(): void
    {
        if ($this->app->runningInConsole()) {
            $this->commands([FerriteCommand::class]);
        }
    }
}
