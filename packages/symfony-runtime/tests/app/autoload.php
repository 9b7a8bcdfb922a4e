<?php

// What composer would make: Debian's libraries load each other, and the package under test lies beside.

declare(strict_types=1);

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
foreach (['Bundle/FrameworkBundle', 'Bundle/TwigBundle', 'Component/Runtime', 'Component/HttpKernel', 'Component/VarDumper'] as $library) {
    require_once "Symfony/$library/autoload.php";
}
require_once 'Nyholm/Psr7/autoload.php';
require_once __DIR__ . '/../../../psr/tests/interfaces.php';
spl_autoload_register(function (string $class): void {
    foreach (['Ferrite\SymfonyRuntime\\' => 'symfony-runtime', 'Ferrite\Psr\\' => 'psr', 'Ferrite\Bridge\\' => 'bridge'] as $prefix => $package) {
        if (str_starts_with($class, $prefix)) {
            require __DIR__ . "/../../../$package/src/" . substr($class, strlen($prefix)) . '.php';
        }
    }
});
