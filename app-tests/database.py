"""A MariaDB for one application: private, in a folder, on a Unix socket; no service is started."""

import os
import subprocess
import time

from suite import Failed

SERVER = "/usr/sbin/mariadbd"
PACKAGES = {"mariadb-server-core": SERVER}
START_SECONDS = 60


class Database:
    """The user `tests` with the password `secret` may do everything in the database `tests`."""

    def __init__(self, place):
        self.place = os.path.join(place, "db")
        self.socket = os.path.join(self.place, "mariadb.sock")
        os.mkdir(self.place)
        data = os.path.join(self.place, "data")
        who = ["--user=root"] if os.geteuid() == 0 else []
        self._run(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *who,
        )
        with open(os.path.join(self.place, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [
                    SERVER,
                    "--no-defaults",
                    f"--datadir={data}",
                    f"--socket={self.socket}",
                    f"--pid-file={self.place}/pid",
                    "--skip-networking",
                    "--skip-log-bin",
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-buffer-pool-size=32M",
                    *who,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait()
        self.reset()

    def reset(self):
        """An empty database."""
        self.sql(
            "DROP DATABASE IF EXISTS tests; CREATE DATABASE tests; "
            "CREATE OR REPLACE USER tests@localhost IDENTIFIED BY 'secret'; "
            "GRANT ALL ON tests.* TO tests@localhost"
        )

    def sql(self, statements):
        return self._run(
            "mariadb", "--no-defaults", "-u", "root", f"--socket={self.socket}", "-e", statements
        )

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.place, "log"), errors="replace") as log:
                    raise Failed(f"MariaDB did not start; it said: {log.read()[-1000:]}")
            time.sleep(0.05)

    @staticmethod
    def _run(*command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{command[0]}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout
