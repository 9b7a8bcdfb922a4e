"""The applications of app-tests/, put into a folder and served for a run."""

import importlib
import os
import shutil
import sys
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(HERE)
TESTS = os.path.join(PROJECT, "app-tests")
PACKAGES = os.path.join(PROJECT, "packages")
NAMES = ("echo", "symfony", "laravel", "wordpress")
# How Ferrite runs one: its script for each request, or a script that stays, whose function is called, which asks, or which
# the package for its framework keeps.
WAYS = ("classic", "callback", "pull", "package")
INSTALL_SECONDS_MAX = 60

# By plain HTTP, on whatever port.
ADDRESS = "'http://' . $_SERVER['HTTP_HOST']"


# Files beside the document root, for the ways in which a script stays.
ECHO = "echo \"Hello, World!\\n\";"
CALLBACKS = {
    "echo": f"<?php return static function () {{ {ECHO} }};",
    "symfony": """<?php
return static function () {
    static $kernel = null;
    if ($kernel === null) {
        require __DIR__ . '/app/autoload.php';
        $kernel = new Kernel('prod', false);
    }
    $request = Symfony\\Component\\HttpFoundation\\Request::createFromGlobals();
    $response = $kernel->handle($request);
    $response->send();
    $kernel->terminate($request, $response);
};
""",
    "laravel": """<?php
return static function () {
    static $octane = null;
    [$worker, $client] = $octane ??= require __DIR__ . '/app/bootstrap/octane.php';
    $worker->handle(...$client->marshalRequest(new Laravel\\Octane\\RequestContext()));
};
""",
}
PULLED = {"echo": f"<?php while (ferrite_handle_request(static function () {{ {ECHO} }}));"}
# Scripts of an application that ask by themselves.
ASKING = {"symfony": "index.php", "laravel": "frankenphp-worker.php"}
# With the package for Symfony: the front script, with what composer would load.
SYMFONY_RUNTIME = """<?php
spl_autoload_register(static function (string $class): void {
    foreach (['Ferrite\\\\SymfonyRuntime\\\\' => 'symfony-runtime', 'Ferrite\\\\Bridge\\\\' => 'bridge'] as $prefix => $package) {
        if (str_starts_with($class, $prefix)) {
            require getenv('FERRITE_PACKAGES') . "/$package/src/" . substr($class, strlen($prefix)) . '.php';
        }
    }
});
$_SERVER['APP_RUNTIME_OPTIONS'] = ['ferrite' => ['reactor_num' => 1, 'banner' => false]];
$_SERVER['SCRIPT_FILENAME'] = __DIR__ . '/app/public/index.php';
require $_SERVER['SCRIPT_FILENAME'];
"""
# Octane itself is not in Debian.
OCTANE = os.path.join(PACKAGES, "octane", "tests", "standins.php")
ENVIRONMENT = {
    ("symfony", "pull"): {"APP_RUNTIME": "Runtime\\FrankenPhpSymfony\\Runtime"},
    ("symfony", "package"): {"APP_RUNTIME": "Ferrite\\SymfonyRuntime\\Runtime"},
    ("laravel", "callback"): {"OCTANE": OCTANE},
    # No worker is to be replaced while it is measured.
    ("laravel", "pull"): {"OCTANE": OCTANE, "MAX_REQUESTS": str(10**9)},
}


class ApplicationError(Exception):
    """An application that is not there or cannot be installed."""


class Application:
    """One application: `root`, `script`, and the file with its settings of PHP."""

    def __init__(self, name, folder):
        # Behind our own folder, which has modules of its own.
        sys.path += [TESTS, os.path.join(os.path.dirname(TESTS), "http3-tests")]
        try:
            self.serving = importlib.import_module("serving")
            self.app = self._echo() if name == "echo" else importlib.import_module(f"app_{name}").APP
            if name == "wordpress":
                self._address()
        except ImportError as error:
            raise ApplicationError(str(error)) from error
        self.name, self.place, self.installed = name, folder, False
        missing = self.app.missing()
        if missing:
            raise ApplicationError(f"{', '.join(missing)} is not installed: run script/setup")
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self._run(self.app.prepare)
        self._run(self.app.reset)
        self.root, self.script = self.app.root(folder), self.app.script
        sessions = os.path.join(folder, "sessions")
        os.mkdir(sessions)
        ini = self.serving.INI | {"session.save_path": sessions} | self.app.ini
        self.ini = os.path.join(folder, "php.ini")
        self.serving.write(self.ini, "".join(f'{key} = "{ini[key]}"\n' for key in ini))

    def command(self, way, library, port, workers):
        """Starts Ferrite with it."""
        environment = ENVIRONMENT.get((self.name, way), {}) | {
            "FERRITE_PACKAGES": PACKAGES,
            "FERRITE_PORT": port,
            "FERRITE_WORKERS": workers,
            "OCTANE_PACKAGE": os.path.join(PACKAGES, "octane"),
        }
        command = ["env", *(f"{key}={value}" for key, value in environment.items())]
        command += ["php", "-c", self.ini, "-d", f"extension={library}"]
        if way == "package":
            return [*command, *self._package(port, workers)]
        command += [os.path.join(HERE, "application.php"), "--port", str(port)]
        command += ["--workers", str(workers), "--root", self.root, "--way", way]
        return [*command, "--script", self._script(way)]

    def _script(self, way):
        file = os.path.join(self.place, f"{way}.php")
        if way == "classic":
            return self.script
        if way == "callback":
            self.serving.write(file, CALLBACKS[self.name])
        elif self.name in PULLED:
            self.serving.write(file, PULLED[self.name])
        else:
            file = os.path.join(self.root, ASKING[self.name])
        return file

    def _package(self, port, workers):
        """The script of the framework's package, and its arguments."""
        if self.name == "symfony":
            file = os.path.join(self.place, "package.php")
            self.serving.write(file, SYMFONY_RUNTIME)
            return [file]
        # Beside it: the same application with Laravel's artisan.
        place = os.path.join(self.place, "octane")
        if not os.path.exists(place):
            shutil.copytree(os.path.join(self.place, "app"), place)
            own = os.path.join(PACKAGES, "octane", "tests", "app")
            shutil.copytree(own, place, dirs_exist_ok=True)
        artisan = [os.path.join(place, "artisan"), "octane:ferrite", "--max-requests=0"]
        return [*artisan, f"--port={port}", f"--workers={workers}"]

    def install(self, server, path):
        """What is done once in a browser, at the first server that runs it, and a first request."""
        if self.name == "wordpress":
            form = urllib.parse.urlencode(importlib.import_module("app_wordpress").FORM).encode()
            content = self._ask(server.url("/wp-admin/install.php?step=2"), form)
            if b"Success!" not in content:
                raise ApplicationError(f"{self.name} is not installed: {content[:300]!r}")
        self._ask(server.url(path))
        self.installed = True

    def _ask(self, place, form=None):
        deadline = time.monotonic() + INSTALL_SECONDS_MAX
        while True:
            try:
                with urllib.request.urlopen(place, form, INSTALL_SECONDS_MAX) as answer:
                    return answer.read()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ApplicationError(f"{self.name} does not answer: {error}") from error
                time.sleep(0.2)

    def end(self):
        self._run(self.app.finish)

    def _run(self, prepare):
        """They are coroutine functions that wait for nothing."""
        try:
            prepare(self.place).send(None)
        except StopIteration:
            return
        raise ApplicationError(f"{self.name} waits for something")

    def _echo(self):
        base = importlib.import_module("app").App
        write = self.serving.write

        class Echo(base):
            """The least that a script does."""

            name = "echo"

            async def prepare(self, place):
                write(f"{self.root(place)}/index.php", '<?php echo "Hello, World!\\n";\n')

        return Echo()

    @staticmethod
    def _address():
        module = importlib.import_module("app_wordpress")
        module.CONFIG = module.CONFIG.replace("'https://localhost'", ADDRESS)


class Applications:
    """Those that were asked for so far; `end` ends what they need."""

    def __init__(self, folder):
        self.folder, self.known = os.path.join(folder, "applications"), {}

    def get(self, name):
        if name not in self.known:
            self.known[name] = Application(name, os.path.join(self.folder, name))
        return self.known[name]

    def end(self):
        for application in self.known.values():
            application.end()
