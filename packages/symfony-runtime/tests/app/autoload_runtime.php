<?php

// As the plugin of symfony/runtime for composer writes it.

declare(strict_types=1);

if (true === (require_once __DIR__ . '/autoload.php') || empty($_SERVER['SCRIPT_FILENAME'])) {
    return;
}
$app = require $_SERVER['SCRIPT_FILENAME'];
$runtime = $_SERVER['APP_RUNTIME'];
$runtime = new $runtime(['project_dir' => null, 'disable_dotenv' => true, 'ferrite' => ['worker_num' => 1, 'reactor_num' => 1]]);
[$app, $args] = $runtime->getResolver($app)->resolve();
$app = $app(...$args);
exit($runtime->getRunner($app)->run());
