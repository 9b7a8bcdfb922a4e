<?php

$app = new Illuminate\Foundation\Application(dirname(__DIR__));
$app->singleton(Illuminate\Contracts\Http\Kernel::class, App\Http\Kernel::class);
$app->singleton(Illuminate\Contracts\Console\Kernel::class, Illuminate\Foundation\Console\Kernel::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);
$app->booted(function () use ($app): void {
    $app['router']->middleware('web')->group($app->basePath('routes/web.php'));
    $app['router']->middleware('web')->group($app->basePath('routes/octane.php'));
});
$app->register(Ferrite\Octane\FerriteServiceProvider::class);
return $app;
