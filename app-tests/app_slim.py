"""Slim 3 with Nyholm's PSR-7."""

from framework import Framework


class Slim(Framework):
    name = "slim"
    beyond = 416
    by_front_script = 404
    packages = {
        "php-slim": "/usr/share/php/Slim/autoload.php",
        "php-nyholm-psr7": "/usr/share/php/Nyholm/Psr7/autoload.php",
        "php-symfony-var-dumper": "/usr/share/php/Symfony/Component/VarDumper/autoload.php",
    }


APP = Slim()
