# SPDX-License-Identifier: Apache-2.0
"""A process with the C++ verifier library, driven by clients/cpp/probe."""
from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable

from .server import Server, binary

ANSWER_SECONDS = 60
DEADLINE_SECONDS = 30  # for what takes milliseconds, on a machine that does much else
STOP_SECONDS = 10


class CppVerifier:
    """Options are those of the library, by name."""

    def __init__(self, **options: object):
        program = binary().parent / "clients" / "cpp" / "verifier_probe"
        self.process = subprocess.Popen(
            [str(program), *(f"{name}={value}" for name, value in options.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=Server.environment())
        self.problems: list[str] = []
        self.reader = threading.Thread(target=self.read_problems, daemon=True)
        self.reader.start()

    def __enter__(self) -> CppVerifier:
        assert self.ask("wait") == "ready", self.problems
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_problems(self) -> None:
        self.problems.extend(self.process.stderr)

    def close(self) -> float:
        """The seconds that it took to end."""
        began = time.monotonic()
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join()
        assert code == 0, self.problems
        return time.monotonic() - began

    def ask(self, *words: object) -> str:
        alarm = threading.Timer(ANSWER_SECONDS, self.process.kill)
        alarm.start()
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().rstrip("\n")
        finally:
            alarm.cancel()

    def accepts(self, token: str, source_ip: str = "") -> bool:
        answer = self.ask("verify", token, source_ip)
        assert answer.startswith(("good ", "refused ")), (answer, self.problems)
        return answer.startswith("good ")

    def can(self, token: str, permission: str, scope_type: str, scope: str) -> str:
        assert self.accepts(token), self.ask("verify", token)
        return self.ask("can", permission, scope_type, scope)

    def status(self) -> dict[str, int]:
        name, *facts = self.ask("status").split()
        assert name == "status"
        return {key: int(value) for key, value in (fact.split("=") for fact in facts)}

    def wait_until(self, condition: Callable[[], bool]) -> float:
        """The seconds until it held. Each look is a question to the process."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < DEADLINE_SECONDS, (self.status(), self.problems)
        return time.monotonic() - began
