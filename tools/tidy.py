#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over the sources of src/ that changed since it last found nothing in them.

A source has changed when it, a header of ours that it includes, or .clang-tidy did."""
from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = REPOSITORY / "src"
BUILD = REPOSITORY / "build" / "lint"
CLEAN = BUILD / "tidy-clean"
# Boost's own sources.
NOT_OURS = {SOURCES / "server" / "boost_sources.cpp"}
INCLUDE = re.compile(r'^\s*#include "([\w/.]+)"', re.MULTILINE)


@cache
def included_by(file: Path) -> tuple[Path, ...]:
    candidates = (SOURCES / name for name in INCLUDE.findall(file.read_text()))
    return tuple(header for header in candidates if header.exists())


def fingerprint(source: Path) -> str:
    """Over the source and all headers of ours that it reaches."""
    reached, open_ends = {source}, [source]
    while open_ends:
        for header in included_by(open_ends.pop()):
            if header not in reached:
                reached.add(header)
                open_ends.append(header)
    digest = hashlib.sha256((REPOSITORY / ".clang-tidy").read_bytes())
    for file in sorted(reached):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_clean(source: Path) -> bool:
    mark = CLEAN / fingerprint(source)
    if mark.exists():
        return True
    command = ["clang-tidy-19", "-p", BUILD, "--quiet", "--warnings-as-errors=*", source]
    ran = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False)
    if ran.returncode != 0:
        print(ran.stdout, flush=True)
        return False
    mark.touch()
    return True


def main() -> int:
    subprocess.run(["cmake", "--preset", "lint"], cwd=REPOSITORY, check=True,
                   stdout=subprocess.DEVNULL)
    CLEAN.mkdir(exist_ok=True)
    sources = sorted(set(SOURCES.rglob("*.cpp")) - NOT_OURS)
    with ThreadPoolExecutor(max_workers=2) as pool:
        dirty = list(pool.map(is_clean, sources)).count(False)
    print(f"{len(sources) - dirty} of {len(sources)} sources are clean")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
