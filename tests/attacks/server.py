# SPDX-License-Identifier: Apache-2.0
"""Starts the built server on a folder of its own and watches it from outside."""
from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

from .wire import Address

REPOSITORY = Path(__file__).resolve().parents[2]
ADMIN_EMAIL = "admin@a.example"
ADMIN_PASSWORD = "violet-anchor-42-lantern-quarry"
# Only this peer may say who it forwards for.
TRUSTED_PROXY = "127.0.0.9"
SANITIZER_REPORT = re.compile(
    r"(ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:)"
)
START_SECONDS = 60
# Not where it listens, so that tokens and their issuer outlive a restart on another port.
PUBLIC_URL = "http://127.0.0.1:1"


def binary() -> Path:
    return Path(os.environ.get("CLAVIGER_BINARY", REPOSITORY / "build" / "claviger"))


def help_of(command: str) -> str:
    """What a command says about itself; the program itself when it is empty."""
    return subprocess.run([str(binary()), *command.split(), "--help"], capture_output=True,
                          text=True, timeout=60, check=True).stdout


def has_sanitizer() -> bool:
    return bool(os.environ.get("CLAVIGER_SANITIZER"))


class Server:
    def __init__(self, folder: Path, *options: str):
        self.folder = folder
        self.data = folder / "data"
        self.log_file = folder / "stderr.log"
        self.options = options
        self.output: list[str] = []
        self.start()

    # --- life -------------------------------------------------------------------------------------

    def start(self, *more: str) -> None:
        environment = {
            **os.environ,
            "CLAVIGER_ADMIN_EMAIL": ADMIN_EMAIL,
            "CLAVIGER_ADMIN_PASSWORD": ADMIN_PASSWORD,
        }
        command = [
            str(binary()), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0",
            "--public-url", PUBLIC_URL, "--metrics-listen", "127.0.0.1:0",
            "--trusted-proxy", TRUSTED_PROXY, "--log-level", "debug", *self.options, *more,
        ]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=environment)
        self.metrics: Address | None = None
        self.address = self.wait_for_address()
        self.reader = threading.Thread(target=self.drain, daemon=True)
        self.reader.start()

    def wait_for_address(self) -> Address:
        alarm = threading.Timer(START_SECONDS, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                self.output.append(line)
                found = re.search(r"(metrics|listening) on http://([\d.]+):(\d+)", line)
                if found and found.group(1) == "metrics":
                    self.metrics = (found.group(2), int(found.group(3)))
                elif found:
                    return found.group(2), int(found.group(3))
        finally:
            alarm.cancel()
        raise RuntimeError(f"the server did not start:\n{self.log()}")

    def drain(self) -> None:
        for line in self.process.stdout:
            self.output.append(line)

    def stop(self) -> int:
        """Asks it to end; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def run_command(self, *arguments: str) -> str:
        """An operator's command on this server's data."""
        done = subprocess.run([str(binary()), *arguments, "--data", str(self.data)],
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    # --- what can be seen from outside ------------------------------------------------------------

    @property
    def host(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        """All it has written to standard output and standard error."""
        return "".join(self.output) + self.log_file.read_text(encoding="utf-8", errors="replace")

    def sanitizer_report(self) -> str | None:
        log = self.log()
        found = SANITIZER_REPORT.search(log)
        return log[found.start():found.start() + 4000] if found else None

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def open_files_limit(self) -> int:
        for line in Path(f"/proc/{self.pid}/limits").read_text().splitlines():
            if line.startswith("Max open files"):
                return int(line.split()[3])
        raise RuntimeError("no limit of open files")

    def unsent_bytes(self) -> int:
        """What the kernel holds for slow readers, over all connections."""
        port = f":{self.address[1]:04X}"
        total = 0
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(port):
                total += int(fields[4].partition(":")[0], 16)
        return total

    # --- the audit trail --------------------------------------------------------------------------

    def access_events(self, source: str | None = None) -> list[dict]:
        """Sign-ins in order, all or those of one address."""
        return [event for event in self.read_events("audit.db", "access_event")
                if source is None or event["source_ip"] == source]

    def change_events(self) -> list[dict]:
        return self.read_events("claviger.db", "change_event")

    def read_events(self, file: str, table: str) -> list[dict]:
        database = sqlite3.connect(f"file:{self.data / file}?mode=ro", uri=True)
        try:
            # Both tables keep each tenant's entries in their order.
            order = "id" if table == "access_event" else "tenant, number"
            rows = database.execute(f"SELECT payload FROM {table} ORDER BY {order}")
            return [json.loads(payload) for (payload,) in rows]
        finally:
            database.close()


def temporary_folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="claviger-attacks-")
