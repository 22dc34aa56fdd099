#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that no compiler checks: layers, sizes, banned calls, words.

Prints one line for each breach and ends with 1 if there is any."""
from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_TEST_FILE = 800
LONGEST_LINE = 100
CODE = {".h", ".cpp", ".py", ".sh", ".cmake"}
# Files whose lines are data.
LONG_LINES_ALLOWED = {"corpus.tsv", "refused.tsv"}

# pattern, replacement, where it is allowed
BANNED = [
    (r"system_clock::now|steady_clock::now", "Clock (base/clock.h)", ("src/base/clock",)),
    (r"\bRAND_bytes\b|\bstd::rand\b|\brand\(\)|random_device", "Random (base/random.h)",
     ("src/base/random",)),
    (r"#include <openssl/", "jose", ("src/jose/", "src/server/tls", "src/jose")),
    (r"\bco_await\b", "plain functions; coroutines live in server", ("src/server/",)),
    (r"\bgetenv\b", "the option table (cli/options.h)", ("src/cli/",)),
    (r"\bmemcmp\b", "constant_time_equal (base/secret.h)", ()),
]
# Built from pieces, so that this file does not hold them itself.
WORDS = ["/wo" + "rk/", "/tmp/bash" + "_jobs", "deb.deb" + "ian.org", "pypi" + ".org",
         "files.python" + "hosted", "registry.npm" + "js", "proxy.gol" + "ang",
         "static.cr" + "ates", "repo.ma" + "ven"]
MARKERS = re.compile("|".join([r"\bTO" + "DO\\b", r"\bFIX" + "ME\\b", r"\bXX" + "X\\b",
                               r"\bHA" + "CK\\b", "not impl" + "emented", "GTEST" + "_SKIP",
                               "DIS" + "ABLED_", "pytest.mark." + "xfail"]))
NAMES = re.compile(r"^(class|struct)\s+\w*(Manager|Helper|Util|Impl|Info)\b")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=REPOSITORY, check=True, text=True, stdout=subprocess.PIPE)
    return [path for line in listed.stdout.splitlines() if (path := REPOSITORY / line).is_file()]


def read_layers(text: str) -> dict[str, set[str]]:
    layers = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            module, _, below = line.partition(":")
            layers[module.strip()] = {module.strip(), *below.split()}
    return layers


def check_layers(name: str, lines: list[str], layers: dict[str, set[str]]) -> list[str]:
    parts = name.split("/")
    if parts[0] != "src" or len(parts) < 3 or "_test." in name:
        return []
    module = parts[1]
    if module not in layers:
        return [f"{name}: the module {module} is not in src/layers.txt"]
    breaches = []
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#include "(\w+)/', line)
        if found and found[1] in layers and found[1] not in layers[module]:
            breaches.append(f"{name}:{number}: {module} must not include {found[1]}")
    return breaches


def function_lengths(lines: list[str]) -> list[tuple[int, int]]:
    """(first line, length) of each C++ function: a block that follows a parameter list."""
    functions = []
    stack: list[tuple[int, bool]] = []
    header = ""
    for number, line in enumerate(lines, 1):
        code = re.sub(r'R"(\w*)\(.*?\)\1"|"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'|//.*', "", line)
        for character in code:
            if character == "{":
                opens = bool(re.search(r"\)\s*(const|noexcept|override|mutable|final|->[^;{]*|\s|"
                                       r":[^;{]*)*$", header))
                inside = any(is_function for _, is_function in stack)
                stack.append((number, opens and not inside))
                header = ""
            elif character == "}":
                if stack:
                    first, is_function = stack.pop()
                    if is_function:
                        functions.append((first, number - first + 1))
                header = ""
            elif character == ";":
                header = ""
            else:
                header += character
        header += " "
    return functions


def check_sizes(name: str, lines: list[str]) -> list[str]:
    breaches = []
    is_test = "_test." in name or name.startswith("tests/")
    most = LONGEST_TEST_FILE if is_test else LONGEST_FILE
    if len(lines) > most:
        breaches.append(f"{name}: {len(lines)} lines, at most {most}")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            breaches.append(f"{name}:{number}: {len(line)} columns, at most {LONGEST_LINE}")
    if name.endswith((".cpp", ".h")) and not is_test:
        for first, length in function_lengths(lines):
            if length > LONGEST_FUNCTION:
                breaches.append(f"{name}:{first}: a function of {length} lines, "
                                f"at most {LONGEST_FUNCTION}")
    return breaches


def check_code(name: str, lines: list[str]) -> list[str]:
    breaches = []
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
        breaches.append(f"{name}: the SPDX line is missing")
    for number, line in enumerate(lines, 1):
        if MARKERS.search(line):
            breaches.append(f"{name}:{number}: a promise left open")
        if NAMES.match(line):
            breaches.append(f"{name}:{number}: a name that says nothing")
        if name.startswith("src/") and "_test." not in name:
            code = line.split("//")[0]
            for pattern, instead, allowed in BANNED:
                if re.search(pattern, code) and not name.startswith(allowed):
                    breaches.append(f"{name}:{number}: use {instead}")
    return breaches


def check_words(name: str, lines: list[str]) -> list[str]:
    return [f"{name}:{number}: names a machine or a registry"
            for number, line in enumerate(lines, 1) if any(word in line for word in WORDS)]


def check_records() -> list[str]:
    folder = REPOSITORY / "docs" / "adr"
    numbers = sorted(path.name[:4] for path in folder.glob("[0-9]*.md"))
    wanted = [f"{number:04}" for number in range(1, len(numbers) + 1)]
    return [] if numbers == wanted else ["docs/adr: the records are not numbered 0001, 0002, ..."]


def check_file(path: Path, layers: dict[str, set[str]]) -> list[str]:
    name = path.relative_to(REPOSITORY).as_posix()
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return []
    breaches = check_words(name, lines)
    is_code = path.suffix in CODE or path.name in ("dev", "CMakeLists.txt")
    if is_code and path.name not in LONG_LINES_ALLOWED:
        breaches += check_layers(name, lines, layers) + check_sizes(name, lines)
        breaches += check_code(name, lines)
    return breaches


def main() -> int:
    layers = read_layers((REPOSITORY / "src" / "layers.txt").read_text())
    breaches = check_records()
    for path in tracked():
        breaches += check_file(path, layers)
    print("\n".join(breaches) if breaches else "no breach")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
