"""Symfony 5.4: kernel, container, routes, Twig, sessions, the front script of symfony/runtime."""

from framework import Framework

PHP = "/usr/share/php/Symfony"


class Symfony(Framework):
    name = "symfony"
    packages = {
        "php-symfony-framework-bundle": f"{PHP}/Bundle/FrameworkBundle/FrameworkBundle.php",
        "php-symfony-runtime": f"{PHP}/Component/Runtime/SymfonyRuntime.php",
        "php-symfony-twig-bundle": f"{PHP}/Bundle/TwigBundle/TwigBundle.php",
    }


APP = Symfony()
