"""The same application of Symfony, whose front script asks for requests by the runtime for FrankenPHP."""

import os

from app_symfony import Symfony
from workers import TESTS

RUNTIME = "FRANKENPHP_SYMFONY"


class SymfonyWorker(Symfony):
    name = "symfony-worker"
    source = "symfony"
    worker = "index.php"
    # Callbacks do not add X-Powered-By.
    ini = {"expose_php": "0"}
    options = {"frankenphp_alias": True}
    environment = {"APP_RUNTIME": "Runtime\\FrankenPhpSymfony\\Runtime"} | {
        name: os.environ[name] for name in [RUNTIME] if name in os.environ
    }
    # Of the environment: how many requests a script takes.
    limit = "FRANKENPHP_LOOP_MAX"
    tests = TESTS


APP = SymfonyWorker()
