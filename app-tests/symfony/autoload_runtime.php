<?php

// What the plugin of symfony/runtime writes to vendor/autoload_runtime.php, with Debian's autoloaders.

foreach (['Component/Runtime', 'Bundle/FrameworkBundle', 'Bundle/TwigBundle', 'Component/VarDumper', 'Component/Mime'] as $package) {
    require_once "Symfony/$package/autoload.php";
}
foreach (glob('/usr/share/php/Symfony/Component/VarDumper/Resources/functions/*.php') as $functions) {
    require_once $functions;
}
require_once __DIR__ . '/src/Kernel.php';

$app = require $_SERVER['SCRIPT_FILENAME'];
$runtime = new Symfony\Component\Runtime\SymfonyRuntime(['project_dir' => __DIR__, 'disable_dotenv' => true, 'error_handler' => false]);
[$app, $arguments] = $runtime->getResolver($app)->resolve();
exit($runtime->getRunner($app(...$arguments))->run());
