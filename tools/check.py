#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that no compiler checks: layers, sizes, banned calls, names, words.

Prints one line for each breach and ends with 1 if there is any. tools/check_exceptions.txt lists
old breaches, one a line as printed here without the line number; a listed breach that is gone must
leave the list, so the list can only shrink."""
from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXCEPTIONS = "tools/check_exceptions.txt"
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_TEST_FILE = 800
LONGEST_LINE = 100
CODE = {".h", ".cpp", ".py", ".sh", ".cmake", ".go", ".mjs"}
CODE_NAMES = {"dev", "run", "CMakeLists.txt"}
# Folders that hold no source, for a copy without git.
NO_SOURCE = {".git", ".cache", ".claviger", "build", "node_modules", "__pycache__"}

# Where modules stand.
MODULE_FOLDER = re.compile(r"(?:src|clients/cpp)/(\w+)/[^/]+$")
# Programs that use the library as strangers do.
NOT_LAYERED = ("clients/cpp/probe/", "clients/cpp/consumer/")
# What other people's programs include.
PUBLIC_HEADERS = "clients/cpp/include/"
BOOST_ADAPTERS = ("clients/cpp/include/claviger/beast.h",)

# pattern, what to use, where it is allowed
BANNED = [
    (r"\b(system|steady|high_resolution)_clock::now\b", "Clock (base/clock.h)",
     ("src/base/clock",)),
    (r"\bRAND_(priv_)?bytes\b|\bs?rand\(|\brandom_device\b|\bgetrandom\b",
     "Random (base/random.h)", ("src/base/random",)),
    (r"#include <openssl/", "jose", ("src/jose/", "src/server/tls.")),
    (r"\bco_(await|return|yield)\b", "plain functions: coroutines live in server",
     ("src/server/",)),
    (r"#include <boost/(asio|beast)", "server's own request and answer (api/http.h)",
     ("src/server/", *BOOST_ADAPTERS)),
    (r"\b(secure_)?getenv\b", "the option table (cli/options.h)", ("src/cli/",)),
    (r"\bmemcmp\b", "constant_time_equal (base/secret.h)", ()),
    (r"\bsleep_(for|until)\b|\busleep\(", "a condition to wait for", ("src/base/",)),
    (r"#include <(format|print)>", "fmt: GCC 12 has neither", ()),
]


def pieces(*words: str) -> re.Pattern:
    """A pattern of words that are written with a gap, so that this file does not hold them."""
    return re.compile("|".join(word.replace("~", "") for word in words))


# Machines and registries, in any file.
WORDS = pieces(r"(?<![\w.])/wo~rk/", r"/tmp/bash~_jobs", r"deb\.deb~ian\.org", r"pypi~\.org",
               r"pypi~\.python", r"files\.python~hosted", r"registry\.npm~js", r"npm~js\.org",
               r"proxy\.gol~ang", r"sum\.gol~ang", r"static\.cr~ates", r"repo\.ma~ven")
# Promises left open, in code.
MARKERS = pieces(r"\bTO~DO\b", r"\bFIX~ME\b", r"\bXX~X\b", r"\bHA~CK\b", r"not impl~emented",
                 r"GTEST~_SKIP", r"\bDIS~ABLED_", r"\bxf~ail\b", r"mark\.sk~ip\b",
                 r"unittest\.sk~ip\b")
EMPTY_NAMES = "Manager|Helper|Util|Utils|Impl|Info|Data"
TYPE_NAME = re.compile(rf"^\s*(?:class|struct|enum class|concept|type)\s+"
                       rf"(?:\w*(?:{EMPTY_NAMES}))\b(?!\w)")
FILE_NAME = re.compile(r"(^|_)(manager|helper|helpers|util|utils|impl|info|data)\.\w+$")
DEFINED_TYPE = re.compile(r"(?:struct|class) (\w+)(?: final)?(?: : [^;]*)? {")
BEFORE_BLOCK = re.compile(r"\)(\s|const\b|noexcept\b|override\b|final\b|mutable\b)*"
                          r"((requires\b|->|:)[^;{]*)?$")
# npm also notes where a project may be sponsored, as "url".
HOST_NAME = re.compile(r'^(?!\s*"url").*\w://')
LOCK_FILE = re.compile(r"(^|/)(package-lock\.json|go\.sum)$|/lock/[^/]+\.txt$")


def files_of_the_repository() -> list[str]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={REPOSITORY}", "ls-files", "--cached", "--others",
         "--exclude-standard"], cwd=REPOSITORY, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()]
    names = []
    for folder, below, files in os.walk(REPOSITORY):
        below[:] = [name for name in below if name not in NO_SOURCE]
        names += [(Path(folder) / file).relative_to(REPOSITORY).as_posix() for file in files]
    return names


def read_layers(text: str) -> dict[str, set[str]]:
    layers = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            module, _, below = line.partition(":")
            layers[module.strip()] = {module.strip(), *below.split()}
    return layers


def is_test(name: str) -> bool:
    return "_test." in name or name.startswith("tests/") or "/tests/" in name


def check_layers(name: str, lines: list[str], layers: dict[str, set[str]]) -> list[str]:
    found = MODULE_FOLDER.match(name)
    if not found or is_test(name) or name.startswith(NOT_LAYERED):
        return []
    module = found[1]
    if module not in layers:
        return [f"{name}: the module {module} is not in src/layers.txt"]
    breaches = []
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#include "([^"/]+)(/?)', line)
        if not found:
            continue
        if not found[2]:
            breaches.append(f"{name}:{number}: include by module path")
        elif found[1] not in layers[module]:
            breaches.append(f"{name}:{number}: {module} must not include {found[1]}")
    return breaches


def check_cycles(layers: dict[str, set[str]]) -> list[str]:
    """A module may name only modules above it in the file, which rules out cycles."""
    known: set[str] = set()
    breaches = []
    for module, below in layers.items():
        breaches += [f"src/layers.txt: {module} names {other}, which does not stand above it"
                     for other in sorted(below - known - {module})]
        known.add(module)
    return breaches


def cpp_functions(lines: list[str]) -> list[tuple[int, int]]:
    """(first line, length) of each function: an outermost block that follows a parameter list."""
    functions = []
    stack: list[tuple[int, bool]] = []
    header, begins = "", 1
    for number, line in enumerate(lines, 1):
        code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'|//.*', '""', line)
        if code.lstrip().startswith("#"):
            continue
        for character in code:
            if character == "{":
                is_block = BEFORE_BLOCK.search(header) is not None
                nested = any(is_function for _, is_function in stack)
                stack.append((begins, is_block and not nested))
            elif character == "}" and stack:
                first, is_function = stack.pop()
                if is_function:
                    functions.append((first, number - first + 1))
            if character in "{};":
                header = ""
            elif header or not character.isspace():
                begins = begins if header else number
                header += character
        header += " " if header else ""
    return functions


def python_functions(lines: list[str]) -> list[tuple[int, int]]:
    tree = ast.parse("\n".join(lines))
    return [(node.lineno, node.end_lineno - node.lineno + 1) for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def shell_functions(lines: list[str]) -> list[tuple[int, int]]:
    functions, first = [], 0
    for number, line in enumerate(lines, 1):
        if re.match(r"\w+\(\) \{", line):
            first = number
        elif line == "}" and first:
            functions.append((first, number - first + 1))
            first = 0
    return functions


def functions_of(name: str, lines: list[str]) -> list[tuple[int, int]]:
    if name.endswith((".cpp", ".h")):
        return cpp_functions(lines)
    if name.endswith(".py"):
        return python_functions(lines)
    return shell_functions(lines)


def check_sizes(name: str, lines: list[str]) -> list[str]:
    breaches = []
    most = LONGEST_TEST_FILE if is_test(name) else LONGEST_FILE
    if len(lines) > most:
        breaches.append(f"{name}: more than {most} lines")
    breaches += [f"{name}:{number}: more than {LONGEST_LINE} columns"
                 for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    if not is_test(name):  # raw strings in tests hold braces that would be counted
        breaches += [f"{name}:{first}: a function of more than {LONGEST_FUNCTION} lines"
                     for first, length in functions_of(name, lines) if length > LONGEST_FUNCTION]
    return breaches


def check_code(name: str, lines: list[str]) -> list[str]:
    breaches = []
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        breaches.append(f"{name}: the SPDX line is missing")
    if is_ours_to_ship(name) and name.endswith(".h") and not opens_with_comment(lines):
        breaches.append(f"{name}: a header opens with what it is for")
    if FILE_NAME.search(Path(name).name):
        breaches.append(f"{name}: a name that says nothing")
    for number, line in enumerate(lines, 1):
        if MARKERS.search(line):
            breaches.append(f"{name}:{number}: a promise left open")
        if TYPE_NAME.match(line):
            breaches.append(f"{name}:{number}: a name that says nothing")
    return breaches


def is_ours_to_ship(name: str) -> bool:
    """A source of the server or of a library, and neither a test nor a program of tests."""
    return name.startswith(("src/", "clients/cpp/")) and not (
        is_test(name) or name.startswith(NOT_LAYERED))


def check_public_header(name: str, lines: list[str]) -> list[str]:
    """Nobody needs Boost to use the library, but for the adapters to it."""
    if not name.startswith(PUBLIC_HEADERS) or name in BOOST_ADAPTERS:
        return []
    return [f"{name}:{number}: a public header includes Boost or one of ours"
            for number, line in enumerate(lines, 1)
            if re.match(r'\s*#include (<boost/|")', line)]


def opens_with_comment(lines: list[str]) -> bool:
    return len(lines) > 1 and lines[1].startswith("//")


def check_calls(name: str, lines: list[str]) -> list[str]:
    if not is_ours_to_ship(name):
        return []
    breaches = []
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        breaches += [f"{name}:{number}: use {instead}" for pattern, instead, allowed in BANNED
                     if re.search(pattern, code) and not name.startswith(allowed)]
    return breaches


def check_words(name: str, lines: list[str]) -> list[str]:
    breaches = [f"{name}:{number}: names a machine or a registry"
                for number, line in enumerate(lines, 1) if WORDS.search(line)]
    if LOCK_FILE.search(name):
        breaches += [f"{name}:{number}: a lock file names no host"
                     for number, line in enumerate(lines, 1) if HOST_NAME.search(line)]
    return breaches


def check_records(names: list[str]) -> list[str]:
    records = sorted(Path(name).name for name in names
                     if name.startswith("docs/adr/") and not name.endswith("README.md"))
    wanted = [f"{number:04}-" for number in range(1, len(records) + 1)]
    numbered = [record[:5] for record in records] == wanted
    return [] if numbered else ["docs/adr: the records are not numbered 0001, 0002, ..."]


def check_type_names(files: dict[str, list[str]]) -> list[str]:
    """Two types of one name in headers are one to the linker, which takes either's functions."""
    homes: dict[str, str] = {}
    breaches = []
    for name, lines in sorted(files.items()):
        for number, line in enumerate(lines, 1):
            found = DEFINED_TYPE.match(line)
            if found and homes.setdefault(found[1], name) != name:
                breaches.append(f"{name}:{number}: {homes[found[1]]} has a {found[1]} as well")
    return breaches


def check_links(name: str, lines: list[str]) -> list[str]:
    """Relative links of a document lead somewhere."""
    folder = (REPOSITORY / name).parent
    return [f"{name}:{number}: nothing at {target}" for number, line in enumerate(lines, 1)
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line)
            if not (folder / target).exists()]


def check_file(name: str, layers: dict[str, set[str]]) -> list[str]:
    try:
        lines = (REPOSITORY / name).read_text().splitlines()
    except UnicodeDecodeError:
        return []
    breaches = check_words(name, lines)
    path = Path(name)
    if path.suffix == ".md":
        breaches += check_links(name, lines)
    if path.suffix in CODE or path.name in CODE_NAMES:
        breaches += check_layers(name, lines, layers) + check_sizes(name, lines)
        breaches += check_code(name, lines) + check_calls(name, lines)
        breaches += check_public_header(name, lines)
    return breaches


def without_number(breach: str) -> str:
    return re.sub(r":\d+: ", ": ", breach, count=1)


def apply_exceptions(breaches: list[str], exceptions: list[str]) -> list[str]:
    found = {without_number(breach) for breach in breaches}
    gone = [f"{EXCEPTIONS}: take out what is no more: {exception}"
            for exception in exceptions if exception not in found]
    return [breach for breach in breaches if without_number(breach) not in exceptions] + gone


def main() -> int:
    names = files_of_the_repository()
    layers = read_layers((REPOSITORY / "src" / "layers.txt").read_text())
    breaches = check_cycles(layers) + check_records(names)
    breaches += check_type_names({name: (REPOSITORY / name).read_text().splitlines()
                                  for name in names if re.match(r"(src|clients/cpp)/.*\.h$", name)})
    for name in sorted(names):
        breaches += check_file(name, layers)
    breaches = apply_exceptions(breaches, (REPOSITORY / EXCEPTIONS).read_text().splitlines())
    print("\n".join(breaches) if breaches else "no breach")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
