# SPDX-License-Identifier: Apache-2.0
"""What a newcomer pastes works: what the first start prints, and what the README says."""
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from scenario.server import START_SECONDS, STOP_SECONDS, binary

README = Path(__file__).resolve().parents[2] / "README.md"


@dataclass
class Demo:
    url: str
    printed: str

    def shown(self, pattern: str) -> str:
        return re.search(pattern, self.printed).group(1)


def start(folder: Path, options: list[str], log: Path) -> tuple[subprocess.Popen, str]:
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("CLAVIGER_")}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [binary(), "serve", "--data", folder, "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    line = process.stdout.readline()
    assert line.startswith("claviger: listening on http://"), log.read_text()
    return process, line.split()[-1]


def stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "stderr.log"
    process, url = start(folder / "data", ["--demo"], log)
    yield Demo(url, read_when_complete(log, process))
    stop(process)
    process, _ = start(folder / "data", ["--demo"], log)
    stop(process)
    assert "secret" not in log.read_text(), "a second start shows a secret"


def read_when_complete(log: Path, process: subprocess.Popen) -> str:
    """The commands come last; a server that ended prints no more."""
    for _ in range(START_SECONDS * 1000):
        text = log.read_text()
        if "Call the API" in text and text.endswith("\n\n"):
            return text
        try:
            process.wait(0.001)
            break
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())


def run(script: str) -> subprocess.CompletedProcess:
    return subprocess.run(["sh", "-eu"], input=script, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=START_SECONDS, check=False)


def run_shell(script: str) -> str:
    ran = run(script)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_printed_commands(demo: Demo):
    commands = re.findall(r"^    ((?:TOKEN=|curl ).*)$", demo.printed, re.MULTILINE)
    assert len(commands) == 2, demo.printed
    token, answer = run_shell("\n".join(commands)).split("\n", 1)
    assert token.count(".") == 2
    assert [project["name"] for project in json.loads(answer)["projects"]] == [
        "translation", "vision"]


def readme_blocks(demo: Demo, **values: str) -> list[str]:
    """The commands of each block, with what the first start printed."""
    values = {"URL": demo.url, "SECRET": demo.shown(r"client secret +(\S+)"),
              "PASSWORD": demo.shown(r"password (\S+)"), **values}
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)[1:]
    for name, value in values.items():
        blocks[0], count = re.subn(rf"^{name}=.*$", f"{name}='{value}'", blocks[0],
                                   flags=re.MULTILINE)
        assert count == 1, name
    return blocks


def at_second(second: int) -> str:
    """The names in the README are made of the time."""
    return f"date() {{ echo {second}; }}"


def test_the_readme(demo: Demo):
    script = "\n".join([at_second(1), *readme_blocks(demo)])
    listed, refused, rule, created = parts(run_shell(script))
    assert [project["name"] for project in listed["projects"]][:2] == ["translation", "vision"]
    assert refused["code"] == 403
    promised = json.loads(re.search(r"```json\n(.*?)```", README.read_text(), re.DOTALL).group(1))
    assert refused["details"].startswith(promised["details"].removesuffix("..."))
    assert rule["roleName"] == "Research manager"
    assert created["name"] == "speech-1"


def test_the_readme_pasted_again(demo: Demo):
    token, account, rule = readme_blocks(demo)
    script = [token, at_second(2), account, rule, at_second(3), account, rule, rule]
    answers = parts(run_shell("\n".join(script)))[1:]
    assert [answer.get("code") for answer in answers] == [403, None, None] * 2 + [409, 409]


def test_the_readme_with_a_mistyped_secret(demo: Demo):
    token = readme_blocks(demo, SECRET="clvs_mistyped")[0]
    ran = run(token)
    assert ran.returncode != 0
    assert "no accessToken in: " in ran.stderr and "client secret is wrong" in ran.stderr
    assert run(f'set +e\n{token}\necho "<$TOKEN>"').stdout.endswith("\n<>\n")


def parts(output: str) -> list:
    """The JSON texts of an output, one after the other."""
    decoder, found = json.JSONDecoder(), []
    rest = output.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found
