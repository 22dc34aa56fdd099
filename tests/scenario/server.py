# SPDX-License-Identifier: Apache-2.0
"""The built server on a data directory of its own."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ADMIN_EMAIL = "admin@first.example"
ADMIN_PASSWORD = "quarry-Lantern-52-anchor-violet"
START_SECONDS = 60
STOP_SECONDS = 30
SANITIZER_REPORT = re.compile(
    r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


def binary() -> Path:
    return Path(os.environ.get("CLAVIGER_BINARY", REPOSITORY / "build" / "claviger"))


def has_sanitizer() -> bool:
    return bool(os.environ.get("CLAVIGER_SANITIZER"))


def is_full_run() -> bool:
    return os.environ.get("CLAVIGER_FULL") == "1"


class Server:
    """Options are flags of `serve`; `prefix` is put before the command (a clock, a limit)."""

    def __init__(self, *options: str, prefix: tuple[str, ...] = ()):
        self.folder = Path(tempfile.mkdtemp(prefix="claviger-test-"))
        self.data = self.folder / "data"
        self.log_file = self.folder / "stderr.log"
        self.options = options
        self.prefix = prefix
        self.output: list[str] = []
        self.process: subprocess.Popen | None = None
        self.address = ("127.0.0.1", 0)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.stop()
        finally:
            self.remove()

    # --- life -------------------------------------------------------------------------------------

    def start(self, *more: str, environment: dict[str, str] | None = None) -> None:
        command = [*self.prefix, str(binary()), "serve", "--data", str(self.data), "--listen",
                   "127.0.0.1:0", *self.options, *more]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True,
                env=self.environment() | (environment or {}))
        self.wait_for_address()
        threading.Thread(target=self.drain, args=(self.process.stdout,), daemon=True).start()

    @staticmethod
    def environment() -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("CLAVIGER_")}
        return kept | {"CLAVIGER_ADMIN_EMAIL": ADMIN_EMAIL,
                       "CLAVIGER_ADMIN_PASSWORD": ADMIN_PASSWORD}

    def wait_for_address(self) -> None:
        alarm = threading.Timer(START_SECONDS, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                self.output.append(line)
                if found := re.fullmatch(r"claviger: listening on https?://(.+):(\d+)\n", line):
                    self.address = (found.group(1), int(found.group(2)))
                    return
        finally:
            alarm.cancel()
        raise RuntimeError(f"the server did not start:\n{self.log()[-4000:]}")

    def drain(self, stream) -> None:
        for line in stream:
            self.output.append(line)

    def stop(self) -> None:
        """Asks it to end and insists on a clean end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=STOP_SECONDS)
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log()[-4000:]}"
        report = SANITIZER_REPORT.search(self.log())
        assert report is None, self.log()[report.start():report.start() + 4000]

    def kill9(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self, *more: str, environment: dict[str, str] | None = None) -> None:
        self.stop()
        self.start(*more, environment=environment)

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill9()
        shutil.rmtree(self.folder)

    # --- seen from outside ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def said(self, pattern: str) -> str:
        """What stands in the first group, in a line that the server printed as it started."""
        found = re.search(rf"^claviger: {pattern}$", "".join(self.output), re.MULTILINE)
        assert found, f"nothing like {pattern}: {self.output}"
        return found.group(1)

    def log(self) -> str:
        return "".join(self.output) + self.log_file.read_text(errors="replace")

    def run(self, *arguments: str) -> str:
        """An operator's command on this server's data directory."""
        done = subprocess.run([str(binary()), *arguments, "--data", str(self.data)],
                              capture_output=True, text=True, timeout=60, check=False,
                              env=self.environment())
        assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def add_tenant(self, realm: str, name: str, host: str, admin_email: str) -> str:
        """Gives the generated password of the new tenant's administrator."""
        shown = self.run("tenant", "add", realm, "--name", name, "--host", host,
                         "--admin-email", admin_email)
        found = re.search(r"^password +(\S+)$", shown, re.MULTILINE)
        assert found, shown
        return found.group(1)
