<?php

// Laravel's own front script, with Debian's autoloader.

use Illuminate\Contracts\Http\Kernel;
use Illuminate\Http\Request;

require 'Illuminate/autoload.php';
require_once 'Symfony/Component/VarDumper/Resources/functions/dump.php';
foreach (glob(__DIR__ . '/../app/Http/*.php') as $class) {
    require $class;
}

$app = require_once __DIR__ . '/../bootstrap/app.php';
$kernel = $app->make(Kernel::class);
$response = $kernel->handle($request = Request::capture())->send();
$kernel->terminate($request, $response);
