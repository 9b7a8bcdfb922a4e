<?php

// What the plugin of symfony/runtime writes to vendor/autoload_runtime.php.

require_once __DIR__ . '/autoload.php';

// That of Symfony for FrankenPHP, or the stand-in for it.
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Runtime\\FrankenPhpSymfony\\')) {
        require ($_SERVER['FRANKENPHP_SYMFONY'] ?? __DIR__ . '/runtime') . '/' . substr($class, 26) . '.php';
    }
});

$app = require $_SERVER['SCRIPT_FILENAME'];
$runtime = $_SERVER['APP_RUNTIME'] ?? Symfony\Component\Runtime\SymfonyRuntime::class;
$options = $_SERVER['APP_RUNTIME_OPTIONS'] ?? [];
$runtime = new $runtime($options + ['project_dir' => __DIR__, 'disable_dotenv' => true, 'error_handler' => false]);
[$app, $arguments] = $runtime->getResolver($app)->resolve();
exit($runtime->getRunner($app(...$arguments))->run());
