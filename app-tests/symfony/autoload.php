<?php

// What composer would write, with Debian's autoloaders.

foreach (['Component/Runtime', 'Bundle/FrameworkBundle', 'Bundle/TwigBundle', 'Component/VarDumper', 'Component/Mime'] as $package) {
    require_once "Symfony/$package/autoload.php";
}
foreach (glob('/usr/share/php/Symfony/Component/VarDumper/Resources/functions/*.php') as $functions) {
    require_once $functions;
}
require_once __DIR__ . '/src/Kernel.php';
