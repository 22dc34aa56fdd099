# SPDX-License-Identifier: Apache-2.0
"""The library as it is installed: found by CMake, used by a program of somebody else with the
adapter for Beast, and free of Boost for who does not use that."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from clients.world import World
from scenario.api import Account
from scenario.server import REPOSITORY, binary, has_sanitizer

CONSUMER = REPOSITORY / "clients" / "cpp" / "consumer"
SANITIZERS = "-fsanitize=address,undefined"


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", binary().parent, "--prefix", folder, "--component", "verifier")
    return folder


@pytest.fixture(scope="module")
def consumer(prefix: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("consumer")
    flags = ["-DCMAKE_CXX_FLAGS=" + SANITIZERS] if has_sanitizer() else []
    run("cmake", "-G", "Ninja", "-S", CONSUMER, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}",
        *flags)
    run("cmake", "--build", folder)
    return folder / "consumer"


def test_only_what_is_meant_is_installed(prefix: Path):
    files = {path.name for path in prefix.rglob("*") if path.is_file()}
    expected = {"libclaviger_verifier.a", "verifier.h", "beast.h", "ClavigerConfig.cmake",
                "ClavigerConfigVersion.cmake", "ClavigerVerifier.cmake"}
    assert {name for name in files if not name.startswith("ClavigerVerifier-")} == expected


def test_no_boost_in_the_header(prefix: Path):
    header = prefix / "include" / "claviger" / "verifier.h"
    included = run("g++", "-std=c++17", "-E", header)
    assert "verifier.h" in included and "boost" not in included


def test_an_unknown_component_is_not_found(prefix: Path, tmp_path: Path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES CXX)\n"
        "find_package(Claviger CONFIG COMPONENTS nonsense)\n"
        'file(WRITE "${CMAKE_BINARY_DIR}/found" "${Claviger_FOUND}")\n')
    run("cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "b",
        f"-DCMAKE_PREFIX_PATH={prefix}")
    assert (tmp_path / "b" / "found").read_text() in ("", "0", "FALSE")


def test_a_program_guards_its_requests(world: World, reader: Account, consumer: Path):
    admin = world.admin
    project = admin.create_project(admin.create_cluster())
    _, viewer = admin.member("Viewer", "project", project)

    def answer(token: str, permission: str) -> list[str]:
        # Without Recorder: the program's issuer is the address that it is given.
        return run(consumer, world.url, "runai", reader.client_id, reader.secret, token,
                   permission, "project", project).splitlines()

    assert answer(viewer.token, "project:read") == ["200"]
    denied = answer(viewer.token, "project:delete")
    assert denied[:2] == ["403", 'Bearer error="insufficient_scope"']
    refused = answer("a.b.c", "project:read")
    assert refused[:2] == ["401", 'Bearer error="invalid_token"']
