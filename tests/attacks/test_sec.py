# SPDX-License-Identifier: Apache-2.0
"""Family SEC: what can be seen of the process, its log, its files and its TLS."""
from __future__ import annotations

import os
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from . import wire
from .server import ADMIN_PASSWORD, Server, binary, temporary_folder
from .stored_keys import master_key
from .world import World

START_SECONDS = 60
# Ends of lines, colours, a lookup, a conversion, and what looks like a line of our own.
NASTY = ("canary-5512\r\n2026-01-01T00:00:00Z forged-line", "canary-5512\x1b[2J\x1b[31m",
         "canary-5512\u2028forged-line", "canary-5512 %n%s%p",
         "canary-5512 ${jndi:ldap://127.0.0.1/a}")


@pytest.fixture
def folder():
    with temporary_folder() as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path):
    started = Server(folder)
    yield started
    started.process.kill()
    started.process.wait()


def start_anew(server: Server, **environment: str) -> subprocess.CompletedProcess:
    """On its data, until it ends by itself or listens."""
    process = subprocess.Popen(
        [str(binary()), "serve", "--data", str(server.data), "--listen", "127.0.0.1:0"],
        env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    alarm = threading.Timer(START_SECONDS, process.kill)
    alarm.start()
    said = []
    for line in process.stdout:
        said.append(line)
        if "listening on" in line:
            process.terminate()
    alarm.cancel()
    return subprocess.CompletedProcess(process.args, process.wait(), "".join(said))


def test_no_secret_can_be_read_off_the_process(server: Server):
    """SEC-002: neither the first password nor a master key that was given as variables."""
    key = master_key(server.data).hex()
    server.stop()
    (server.data / "master.key").unlink()
    os.environ["CLAVIGER_MASTER_KEY"] = key
    try:
        server.start()
    finally:
        del os.environ["CLAVIGER_MASTER_KEY"]
    process = Path(f"/proc/{server.pid}")
    visible = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert key.encode() not in visible
    assert ADMIN_PASSWORD.encode() not in visible


def test_what_callers_send_forges_no_line_of_the_log(server: Server):
    """SEC-004."""
    world = World(server)
    lines_before = server.log().count("\n")
    for text in NASTY:
        for body in ({"grantType": "client_credentials", "clientId": text, "clientSecret": "x"},
                     {"grantType": "password", "username": text, "password": "x"}):
            world.send("POST", "/api/v1/token", body)
        agent = text.replace("\r", "").replace("\n", "").encode()
        request = wire.request_bytes("GET", "/api/v1/nope", server.host,
                                     [b"User-Agent: " + agent])
        wire.exchange(server.address, request)
    assert server.stop() == 0
    log = server.log()
    new = log.split("\n")[lines_before:]
    assert not [line for line in new if line.startswith(("2026-01-01", "forged-line"))]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]", log)
    server.run_command("audit", "verify")


def test_a_master_key_that_others_can_read_is_closed_to_them(server: Server):
    """SEC-005: with a warning that names it, since it may be known by now."""
    assert server.stop() == 0
    key = server.data / "master.key"
    key.chmod(0o644)
    ended = start_anew(server)
    assert ended.returncode == 0 and str(key) in ended.stdout, ended.stdout
    assert key.stat().st_mode & 0o777 == 0o600


# --- rows of keys ---------------------------------------------------------------------------------


def swap(database: sqlite3.Connection) -> None:
    (one, first), (two, second) = database.execute(
        "SELECT kid, sealed_private_key FROM signing_key WHERE tenant = 1 LIMIT 2").fetchall()
    for kid, sealed in ((one, second), (two, first)):
        database.execute("UPDATE signing_key SET sealed_private_key = ? WHERE kid = ?",
                         (sealed, kid))


def copy_from_another_tenant(database: sqlite3.Connection) -> None:
    database.execute(
        "UPDATE signing_key SET sealed_private_key = (SELECT other.sealed_private_key"
        " FROM signing_key other WHERE other.tenant = 2 AND other.algorithm ="
        " signing_key.algorithm AND other.purpose = signing_key.purpose) WHERE tenant = 1")


def flip_a_bit(database: sqlite3.Connection) -> None:
    kid, sealed = database.execute(
        "SELECT kid, sealed_private_key FROM signing_key WHERE tenant = 1 LIMIT 1").fetchone()
    changed = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    database.execute("UPDATE signing_key SET sealed_private_key = ? WHERE kid = ?", (changed, kid))


@pytest.mark.parametrize("change", [swap, copy_from_another_tenant, flip_a_bit])
def test_a_key_row_that_was_moved_or_changed_is_not_used(server: Server, change):
    """SEC-007."""
    World(server)  # has a second tenant
    assert server.stop() == 0
    with closing(sqlite3.connect(server.data / "claviger.db")) as database, database:
        change(database)
        assert database.total_changes > 0
    ended = start_anew(server)
    assert ended.returncode not in (0, -15), "it started"
    assert "key" in ended.stdout


# --- TLS ------------------------------------------------------------------------------------------


@contextmanager
def tls_server(folder: Path):
    """Its port, and the certificate."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-days", "1", "-keyout", str(key), "-out",
                    str(certificate)], check=True, capture_output=True)
    key.chmod(0o600)
    process = subprocess.Popen(
        [str(binary()), "serve", "--data", str(folder / "data"), "--listen", "127.0.0.1:0",
         "--tls-cert", str(certificate), "--tls-key", str(key)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    alarm = threading.Timer(START_SECONDS, process.kill)
    alarm.start()
    try:
        port = next(int(found.group(1)) for line in process.stdout
                    if (found := re.search(r"listening on https://[\d.]+:(\d+)", line)))
        alarm.cancel()
        yield port, certificate
    finally:
        alarm.cancel()
        process.kill()
        process.wait()


def client(certificate: Path, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0"):
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    return context


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the versions are old
def test_only_good_versions_and_ciphers_of_tls(folder: Path):
    """SEC-011."""
    with tls_server(folder) as (port, certificate):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with connect(port, client(certificate, version)) as connection:
                assert connection.compression() is None
                name, _, bits = connection.cipher()
                assert bits >= 128 and ("GCM" in name or "CHACHA20" in name), name
        refused = [client(certificate, version) for version in (ssl.TLSVersion.TLSv1,
                                                                ssl.TLSVersion.TLSv1_1)]
        refused += [client(certificate, ssl.TLSVersion.TLSv1_2, f"{ciphers}:@SECLEVEL=0")
                    for ciphers in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
                                    "AES128-GCM-SHA256")]
        for context in refused:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                connect(port, context).close()
