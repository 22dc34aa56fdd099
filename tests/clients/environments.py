# SPDX-License-Identifier: Apache-2.0
"""Installs the pinned clients below build/clients, once for each lock file.

Run as a script, it installs all of them."""
from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CACHE = FOLDER.parents[1] / "build" / "clients"


def fingerprint(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def install(name: str, sources: list[Path], fill) -> Path:
    """A folder that `fill` has filled from exactly these sources; suites may run side by side."""
    folder = CACHE / name
    stamp = folder / "installed-from"
    wanted = fingerprint(*sources)
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fill(folder)
        stamp.write_text(wanted)
        return folder


def run(*command: str | Path, **more) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, **more)


def python_with(lock: str) -> Path:
    """The interpreter of a virtual environment with the packages of that lock file."""
    source = FOLDER / "lock" / f"{lock}.txt"

    def fill(folder: Path) -> None:
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--no-deps", "-r", source)

    return install(lock, [source], fill) / "bin" / "python"


def node_folder() -> Path:
    """A folder with verify.mjs and what it imports."""
    sources = sorted((FOLDER / "node").glob("*.*"))

    def fill(folder: Path) -> None:
        for source in sources:
            shutil.copy(source, folder)
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=folder)

    return install("node", sources, fill)


def go_program() -> Path:
    sources = sorted((FOLDER / "go").glob("*.*"))

    def fill(folder: Path) -> None:
        run("go", "build", "-o", folder / "client", ".", cwd=FOLDER / "go",
            env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off",
                 "CGO_ENABLED": "0"})

    return install("go", sources, fill) / "client"


if __name__ == "__main__":
    for lock in ("runapy-1.224", "runapy-0.8", "schemathesis"):
        python_with(lock)
    node_folder()
    go_program()
