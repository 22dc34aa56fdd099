# SPDX-License-Identifier: Apache-2.0
"""Processes to measure: pinned to a core, out of the reach of other sessions' load as far as the
kernel allows, with the CPU time and memory that they use."""
from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import time
from pathlib import Path

SERVER_CORE = 0
LOAD_CORE = 1
START_SECONDS = 60
LISTENING = re.compile(r"listening on https?://[^\s:]+:(\d+)")


def pin(core: int) -> None:
    """Runs in the child. Without a session of its own, nice means nothing across sessions."""
    os.setsid()
    os.sched_setaffinity(0, {core})
    try:
        Path("/proc/self/autogroup").write_text("-16")
    except OSError:
        pass  # needs root; the figures are only noisier


def run_on(core: int, command: list[str], **options: object) -> str:
    """Runs a command to its end and gives what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: pin(core), check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}:\n"
                           f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Process:
    """A server on its core. `port` comes from its line "listening on http://HOST:PORT"."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None,
                 port: int = 0, log: Path | None = None, cores: set[int] | None = None):
        self.began = time.monotonic()
        with (log or Path(os.devnull)).open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | (environment or {}), preexec_fn=lambda: pin(SERVER_CORE))
        self.pid = self.process.pid
        if cores:
            os.sched_setaffinity(self.pid, cores)
        self.port = port or self.read_port(" ".join(command[:2]))

    def read_port(self, name: str) -> int:
        for line in self.process.stdout:
            if found := LISTENING.search(line):
                return int(found.group(1))
        raise RuntimeError(f"{name} ended before it listened")

    def tree(self) -> list[int]:
        """This process and those below it."""
        pids = [self.pid]
        for pid in pids:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += [int(child) for child in children.read_text().split()]
        return pids

    def cpu_seconds(self) -> float:
        nanoseconds = 0
        for pid in self.tree():
            for schedule in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                nanoseconds += int(schedule.read_text().split()[0])
        return nanoseconds / 1e9

    def memory(self, field: str = "VmRSS") -> int:
        """In KiB; VmHWM is the most it ever was."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def describe() -> str:
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, "
            f"{int(memory.group(1)) // 1024 // 1024} GiB, Linux {platform.release()}")
