"""The same application of Laravel, with a worker as Octane has it for FrankenPHP."""

import os

from app_laravel import Laravel
from serving import HERE
from workers import TESTS


class OctaneWorker(Laravel):
    name = "octane-worker"
    source = "laravel"
    worker = "frankenphp-worker.php"
    # Callbacks do not add X-Powered-By.
    ini = {"expose_php": "0"}
    options = {"frankenphp_alias": True}
    environment = {
        "OCTANE": os.environ.get("OCTANE", os.path.join(HERE, "..", "packages", "octane", "tests", "standins.php"))
    }
    limit = "MAX_REQUESTS"
    tests = TESTS
    # There is no front script that could be named.
    by_front_script = None


APP = OctaneWorker()
