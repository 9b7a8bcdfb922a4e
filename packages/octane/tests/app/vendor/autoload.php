<?php

// What composer would write: Debian's libraries, stand-ins for Octane, the package, and the application.

require 'Illuminate/autoload.php';
require_once 'Symfony/Component/VarDumper/Resources/functions/dump.php';
spl_autoload_register(static function (string $class): void {
    $package = getenv('OCTANE_PACKAGE');
    if (str_starts_with($class, 'Ferrite\\Octane\\')) {
        require "$package/src/" . substr($class, 15) . '.php';
    } elseif (str_starts_with($class, 'Ferrite\\Bridge\\')) {
        require "$package/../bridge/src/" . substr($class, 15) . '.php';
    } elseif (str_starts_with($class, 'Laravel\\Octane\\')) {
        require_once "$package/tests/standins.php";
    } elseif (str_starts_with($class, 'App\\Http\\')) {
        require __DIR__ . '/../app/Http/' . substr($class, 9) . '.php';
    }
});
