#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts Claviger, a small API and a gateway between clients and the API, and prints what to try.

    ./dev demo nginx|caddy|haproxy|envoy|envoy-grpc     installs what is missing and runs this
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CLAVIGER = Path(os.environ.get("CLAVIGER_BINARY", HERE.parents[1] / "build" / "claviger"))
KINDS = {"nginx": "nginx/nginx.conf", "caddy": "caddy/Caddyfile", "haproxy": "haproxy/haproxy.cfg",
         "envoy": "envoy/envoy.yaml", "envoy-grpc": "envoy/envoy-grpc.yaml"}


class Ports(NamedTuple):
    """As the files have them."""
    gateway: int = 8088
    claviger: int = 8080
    api: int = 8089
    grpc: int = 8081  # of Claviger


PORTS = Ports()
START_SECONDS = 60
STOP_SECONDS = 20


def program(kind: str) -> str | None:
    """Envoy comes as a Python package, which puts it beside the interpreter."""
    name = Path(KINDS[kind]).parent.name
    beside = Path(sys.executable).parent / name
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
    return str(beside) if beside.exists() else shutil.which(name, path=path)


def with_ports(text: str, ports: Ports) -> str:
    others = dict(zip(map(str, PORTS), map(str, ports)))
    return re.sub(rf"\b({'|'.join(others)})\b", lambda found: others[found.group()], text)


def wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")[-3000:]) from None
            time.sleep(0.05)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start_gateway(kind: str, folder: Path, ports: Ports) -> subprocess.Popen:
    """Listens when this returns. What it writes goes to `folder`, where its log is as well."""
    folder.mkdir()
    example = HERE / KINDS[kind]
    file, log = folder / example.name, folder / "log"
    for one in (example, *example.parent.glob("*.lua")):
        (folder / one.name).write_text(with_ports(one.read_text(), ports))
    arguments = {"nginx": ["-p", f"{folder}/", "-c", str(file)],
                 "caddy": ["run", "--config", str(file)],
                 "haproxy": ["-db", "-C", str(folder), "-f", str(file)],
                 "envoy": ["-c", str(file), "--concurrency", "1", "--use-dynamic-base-id",
                           "--log-level", "warn"]}[example.parent.name]
    with log.open("wb") as output:
        process = subprocess.Popen([program(kind), *arguments], stdout=output, stderr=output,
                                   env=os.environ | {"HOME": str(folder)})
    wait_for(ports.gateway, process, log)
    return process


def start_api(folder: Path, ports: Ports) -> subprocess.Popen:
    log = folder / "api.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, HERE / "workloads_api.py", str(ports.api)],
                                   stdout=output, stderr=output)
    wait_for(ports.api, process, log)
    return process


def start_claviger(folder: Path, ports: Ports) -> tuple[subprocess.Popen, str]:
    """With demo data in a new folder; gives the demo account's secret."""
    routes = folder / "routes.toml"
    routes.write_text(with_ports((HERE / "routes.toml").read_text(), ports))
    process = subprocess.Popen(
        [CLAVIGER, "serve", "--demo", "--data", folder / "data", "--listen",
         f"127.0.0.1:{ports.claviger}", "--grpc-listen", f"127.0.0.1:{ports.grpc}", "--route-map",
         routes, "--trusted-proxy", "127.0.0.1/32"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"client secret +(\S+)", line):
            # Read on, or it would wait for a reader one day.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process, found.group(1)
    raise RuntimeError(said)


def hints(kind: str, secret: str, ports: Ports) -> str:
    gateway, claviger = (f"http://localhost:{port}" for port in ports[:2])
    grant = ('{"grantType":"client_credentials","clientId":"demo-reader","clientSecret":"' +
             secret + '"}')
    return f"""{kind} listens on {gateway}, Claviger on {claviger}.
Ctrl-C ends all, and nothing is kept.

  A token, at the gateway:
    TOKEN=$(curl -s {gateway}/api/v1/token -H 'Content-Type: application/json' -d '{grant}' | \
sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')

  It may read workloads, and learns who it is:
    curl -i {gateway}/api/v1/workloads -H "Authorization: Bearer $TOKEN"
    curl -i {gateway}/api/v1/whoami -H "Authorization: Bearer $TOKEN"

  It may not delete them (403), nobody passes without a token (401), and what the map does not
  name is refused:
    curl -i -X DELETE {gateway}/api/v1/projects/3/workloads -H "Authorization: Bearer $TOKEN"
    curl -i {gateway}/api/v1/workloads
    curl -i {gateway}/elsewhere -H "Authorization: Bearer $TOKEN"
"""


def run(kind: str, ports: Ports) -> None:
    running: list[subprocess.Popen] = []
    with tempfile.TemporaryDirectory(prefix="claviger-demo-") as name:
        folder = Path(name)
        try:
            running.append(start_api(folder, ports))
            claviger, secret = start_claviger(folder, ports)
            running.append(claviger)
            running.append(start_gateway(kind, folder / kind, ports))
            print(hints(kind, secret, ports), flush=True)
            while True:
                signal.pause()
        except KeyboardInterrupt:
            pass
        finally:
            for process in reversed(running):
                stop(process)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gateway", choices=KINDS)
    parser.add_argument("--ports", nargs=4, type=int, default=PORTS,
                        metavar=("GATEWAY", "CLAVIGER", "API", "GRPC"))
    arguments = parser.parse_args()
    if program(arguments.gateway) is None:
        print(f"{arguments.gateway} is not installed; ./dev demo {arguments.gateway} installs it",
              file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored in the background
        signal.signal(number, signal.default_int_handler)
    try:
        run(arguments.gateway, Ports(*arguments.ports))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
