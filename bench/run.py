#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the built server and prints a table: each figure beside what it is compared with in the
same run, the ratio and the gate. `./dev bench` calls it; ADR 11 tells the method.

A speed is requests per CPU second of the server: on a shared machine the wall clock also counts the
neighbours. Configurations take turns in every round, and the median of the rounds counts."""
from __future__ import annotations

import argparse
import datetime
import http.client
import json
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from gateways import GatewayBench
from lists import Lists
from load import (BENCH, BUILD, CONNECTIONS, HERE, ask, bench, figures, openssl_speed,
                  spinning, wait_for_port, wrk)
from machine import LOAD_CORE, SERVER_CORE, Process, describe
from revocations import READERS, Revocations, percentile
from table import Table

CLAVIGER = BUILD / "claviger"
ACCOUNTS = 10_000
MANY = 1_000_000
LISTED = 1_000  # clients that the load comes from
UNCACHED = 40_000  # tokens for one uncached round, more than it can use
PUBLIC_URL = "http://127.0.0.1"


class Bench:
    def __init__(self, folder: Path, rounds: int, seconds: int):
        self.folder = folder
        self.rounds = rounds
        self.seconds = seconds
        self.table = Table()
        self.running: list[Process] = []
        self.rates: dict[str, float] = {}
        self.tokens = 0

    # --- what runs --------------------------------------------------------------------------------

    def start(self, *command: object, **options: object) -> Process:
        process = Process([str(word) for word in command], **options)
        self.running.append(process)
        return process

    def serve(self, data: Path, *options: object, cores: set[int] | None = None) -> Process:
        return self.start(CLAVIGER, "serve", "--data", data, "--listen", "127.0.0.1:0",
                          "--public-url", PUBLIC_URL, "--threads", 1, *options, cores=cores)

    def stop(self, process: Process) -> None:
        process.stop()
        self.running.remove(process)

    def stop_all(self) -> None:
        for process in reversed(self.running):
            process.stop()
        self.running = []

    def copy_of(self, data: Path, name: str) -> Path:
        return Path(shutil.copytree(data, self.folder / name))

    @staticmethod
    def free_port() -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname()[1]

    def start_nginx(self, size: int) -> Process:
        port = self.free_port()
        settings = self.folder / "nginx.conf"
        settings.write_text(
            f"worker_processes 1; daemon off; pid {self.folder}/nginx.pid; error_log /dev/null;\n"
            "events { worker_connections 1024; }\n"
            "http { access_log off; keepalive_requests 100000000; default_type application/json;\n"
            f"client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;\n"
            f"fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi;\n"
            f"scgi_temp_path {self.folder}/scgi;\n"
            f"server {{ listen 127.0.0.1:{port}; return 200 '{'x' * size}'; }} }}\n")
        process = self.start("nginx", "-p", self.folder, "-c", settings, port=port)
        wait_for_port(port)
        return process

    def certificate(self) -> list[object]:
        key, chain = self.folder / "key.pem", self.folder / "chain.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1",
                        "-days", "2", "-keyout", key, "-out", chain],
                       check=True, capture_output=True)
        key.chmod(0o600)
        return ["--tls-cert", chain, "--tls-key", key]

    # --- rounds -----------------------------------------------------------------------------------

    def alternate(self, loads: dict[str, tuple], *more: Callable[[], dict[str, float]]) -> None:
        """Runs everything once a round; the medians go to `rates`."""
        seen: dict[str, list[float]] = defaultdict(list)
        for name, load in loads.items():
            if name != "uncached":  # its tokens must stay unseen
                wrk(load[0], 1, *load[1:])
        for number in range(self.rounds):
            for name, load in loads.items():
                if name == "uncached":
                    load = (load[0], load[1], self.folder / f"unseen-{number}")
                count, used = wrk(load[0], self.seconds, *load[1:])
                seen[name].append(count / used)
                self.tokens += count if name == "token" else 0
            for measure in more:
                for name, rate in measure().items():
                    seen[name].append(rate)
            print(f"  round {number + 1} of {self.rounds} done", flush=True)
        for name, values in seen.items():
            self.rates[name] = statistics.median(values)

    # --- the figures ------------------------------------------------------------------------------

    @staticmethod
    def measure_crypto() -> dict[str, float]:
        """Signatures and verifications per CPU second, of the server's signer and of openssl."""
        with spinning():
            ours = figures(bench("sign", "ES256", 1))
            return {"sign": ours["sign"], "verify": ours["verify"],
                    "rsa sign": figures(bench("sign", "RS256", 1))["sign"],
                    "openssl": openssl_speed("ecdsap256"),
                    "openssl rsa": openssl_speed("rsa3072")}

    def measure_requests(self) -> None:
        data = self.folder / "data"
        bench("fill", data, ACCOUNTS)
        bench("fill", self.folder / "rsa", LISTED, "RS256")
        credentials = data / "credentials.txt"
        self.write_tokens(data)
        size_before = self.size_after_load(data)
        unrecorded = self.start(BENCH, "serve", self.copy_of(data, "unrecorded"))
        bare = self.start(BENCH, "bare", self.copy_of(data, "bare"))
        tls = self.serve(self.copy_of(data, "tls"), *self.certificate())
        rsa = self.serve(self.folder / "rsa", "--token-algorithm", "RS256")
        server = self.serve(data)
        client, secret = credentials.read_text().split()[:2]
        grant = {"grantType": "client_credentials", "clientId": client, "clientSecret": secret}
        answer = ask(server.port, "POST", "/api/v1/token", json.dumps(grant))
        path, token = (self.folder / "seen").read_text().split()[:2]
        decided = ask(server.port, "GET", path, token=token)
        nginx = self.start_nginx(len(answer))
        size = f"/bare/{len(answer)}"
        self.alternate({
            "nginx": (nginx, "token", credentials, size),
            "bare": (bare, "token", credentials, size),
            "token": (server, "token", credentials),
            "unrecorded": (unrecorded, "token", credentials),
            "tls": (tls, "token", credentials, "", "https"),
            "rsa": (rsa, "token", self.folder / "rsa/credentials.txt"),
            "bare get": (bare, "bearer", self.folder / "seen", f"/bare/{len(decided)}"),
            "cached": (server, "bearer", self.folder / "seen"),
            "uncached": (unrecorded, "bearer", self.folder / "unseen-0"),
        }, self.measure_crypto)
        self.report_requests()
        self.measure_half_load(server, grant, path, token)
        self.measure_syscalls({"bare route": (bare, "token", credentials, size),
                               "token": (server, "token", credentials),
                               "decision": (server, "bearer", self.folder / "seen")})
        self.measure_connections(server)
        self.stop_all()
        self.table.limit("growth of the main database, per million tokens",
                         (self.size_after_load(data) - size_before) / self.tokens * 1e6, "bytes", 0)

    def size_after_load(self, data: Path) -> int:
        """Of the main database, once every client has got a token and used it, and the server has
        stopped: what clients and uses need on a day is written by then."""
        server = self.serve(data)
        wrk(server, 1, "token", data / "credentials.txt")
        wrk(server, 1, "bearer", self.folder / "seen")
        self.stop(server)
        return (data / "claviger.db").stat().st_size

    def write_tokens(self, data: Path) -> None:
        """Files of "path token": one that is used over and over, and one for each round."""
        projects = ACCOUNTS // 100
        tokens = bench("tokens", data, LISTED + UNCACHED * self.rounds).split()
        lines = [f"/api/v1/org-unit/projects/{2 + number % LISTED % projects} {token}\n"
                 for number, token in enumerate(tokens)]
        (self.folder / "seen").write_text("".join(lines[:LISTED]))
        for number in range(self.rounds):
            first = LISTED + UNCACHED * number
            (self.folder / f"unseen-{number}").write_text("".join(lines[first:first + UNCACHED]))

    def report_requests(self) -> None:
        rates, table = self.rates, self.table
        bound = 1 / (1 / rates["bare"] + 1 / rates["sign"])
        table.ratio("ES256 signatures of the server's signer", rates["sign"], rates["openssl"],
                    "openssl speed ecdsap256", 0.90)
        table.plain("RS256 (3072 bits) signatures, the same", f"{rates['rsa sign']:,.0f}/s",
                    f"{rates['openssl rsa']:,.0f}/s openssl speed rsa3072")
        table.ratio("bare route", rates["bare"], rates["nginx"], "nginx return 200", 0.85)
        table.ratio("tokens, ES256, durable audit", rates["token"], bound,
                    "1/(1/bare + 1/sign)", 0.80)
        table.ratio("tokens, ES256, without audit", rates["unrecorded"], bound,
                    "1/(1/bare + 1/sign)", 0.85)
        table.ratio("tokens, RS256 (3072 bits), durable audit", rates["rsa"],
                    rates["openssl rsa"], "openssl speed rsa3072", 0.90)
        table.ratio("decisions, token seen before", rates["cached"], rates["bare get"],
                    "bare route, same sizes", 0.85)
        table.ratio("decisions, token new", rates["uncached"],
                    1 / (1 / rates["bare get"] + 1 / rates["verify"]),
                    "1/(1/bare + 1/verify)", 0.85)
        table.ratio("tokens over TLS 1.3 keep-alive", rates["tls"], rates["token"], "plain", 0.75)

    def measure_half_load(self, server: Process, grant: dict, path: str, token: str) -> None:
        body = json.dumps(grant)
        requests = {
            "token": f"POST /api/v1/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                     f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}",
            "cached": f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}"
                      "\r\n\r\n"}
        for name, request in requests.items():
            rate = self.rates[name] / 2
            measured = figures(bench("offer", server.port, int(rate), self.seconds, CONNECTIONS,
                                     core=LOAD_CORE, stdin=request))
            what = "tokens, durable audit" if name == "token" else "decisions, token seen before"
            self.table.plain(f"{what}, at half load", f"p50 {measured['p50']:.2f} ms, "
                             f"p99 {measured['p99']:.2f} ms", f"{rate:,.0f}/s offered")

    def measure_syscalls(self, loads: dict[str, tuple]) -> None:
        for name, load in loads.items():
            summary = self.folder / "strace"
            with subprocess.Popen(["strace", "-f", "-c", "-o", summary, "-p", str(load[0].pid)],
                                  stderr=subprocess.PIPE, text=True) as tracer:
                tracer.stderr.readline()  # attached
                count, _ = wrk(load[0], self.seconds, *load[1:])
                tracer.send_signal(signal.SIGINT)
                tracer.communicate()
            calls = int(re.search(r"^100\.00\s+\S+\s+\S+\s+(\d+)", summary.read_text(),
                                  re.MULTILINE).group(1))
            self.table.limit(f"system calls a request: {name}", calls / count, "", 2.2)

    def measure_connections(self, server: Process) -> None:
        count = 3_000
        before = server.memory()
        held = []
        for _ in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            held.append(connection)
        used = server.memory() - before
        for connection in held:
            connection.close()
        self.table.limit("memory of an idle connection", used / count, "KiB", 12)

    def measure_threads(self) -> None:
        data = self.folder / "threads"
        bench("fill", data, LISTED)
        one, two = [], []
        for _ in range(self.rounds):
            for threads, values in ((1, one), (2, two)):
                printed = subprocess.run([BENCH, "pipeline", data, str(threads), "2"],
                                         stdout=subprocess.PIPE, text=True, check=True).stdout
                values.append(figures(printed)["tokens"])
        self.table.ratio("token pipeline in process, two threads", statistics.median(two),
                         statistics.median(one), "one thread", 1.75)

    def measure_audit(self) -> None:
        measured = figures(bench("audit", self.folder / "audit", 20_000, 5, core=LOAD_CORE))
        most = max(5.0, 10 * measured["sync_p99"])
        self.table.limit("audit, 20,000/s offered, queued to durable, p99", measured["p99"], "ms",
                         most)
        sync = f"fdatasync p50 {measured['sync_p50']:.2f}, p99 {measured['sync_p99']:.2f} ms"
        self.table.plain("the same, p50", f"{measured['p50']:.2f} ms", sync)

    def measure_start(self) -> None:
        for count, most in ((ACCOUNTS, 0.150), (MANY, 3.0)):
            data = self.folder / f"start-{count}"
            bench("fill", data, count)
            client, secret = (data / "credentials.txt").read_text().split()[:2]
            grant = json.dumps({"grantType": "client_credentials", "clientId": client,
                                "clientSecret": secret})
            times, memory, peak = [], 0, 0
            for _ in range(3):
                server = self.serve(data, cores={SERVER_CORE, LOAD_CORE})
                ask(server.port, "POST", "/api/v1/token", grant)
                times.append(time.monotonic() - server.began)
                memory, peak = server.memory() // 1024, server.memory("VmHWM") // 1024
                self.stop(server)
            self.table.limit(f"start to first token, {count:,} accounts and rules",
                             statistics.median(times) * 1000, "ms", most * 1000)
            if count == MANY:
                self.table.limit("memory with them", memory, "MiB", 400 * 1e6 / 2**20)
                self.table.plain("the most while it starts", f"{peak:,} MiB")
            shutil.rmtree(data)

    def measure_lists(self) -> None:
        data = self.folder / "lists"
        bench("fill-rules", data, MANY)
        client, secret = (data / "credentials.txt").read_text().split()[:2]
        grant = json.dumps({"grantType": "client_credentials", "clientId": client,
                            "clientSecret": secret})
        server = self.serve(data, cores={SERVER_CORE, LOAD_CORE})
        for path, milliseconds in Lists(server.port, grant).measure():
            self.table.limit(f"GET {path}"[:46], milliseconds, "ms", 50)
        self.table.plain("memory after them", f"{server.memory() // 1024:,} MiB")
        self.stop(server)
        shutil.rmtree(data)

    def measure_idle(self) -> None:
        data = self.folder / "idle"
        for _ in range(2):  # the second time, as every day but the first
            server = self.serve(data)
            memory = server.memory()
            self.stop(server)
        self.table.limit("memory when idle", memory / 1024, "MiB", 32)

    def measure_revocations(self) -> None:
        data = self.folder / "revocations"
        bench("fill", data, LISTED)
        client, secret = (data / "credentials.txt").read_text().split()[:2]
        server = self.serve(data, cores={SERVER_CORE, LOAD_CORE})
        revocations = Revocations(server.port, json.dumps({
            "grantType": "client_credentials", "clientId": client, "clientSecret": secret}))
        for what, seconds, most in (
                ("on the node", revocations.until_refused(), 100),
                (f"seen by {READERS} verifiers", revocations.until_heard(), 1_000)):
            self.table.plain(f"revoke to refused, {what}, p50",
                             f"{percentile(seconds, 0.5):.2f} ms")
            self.table.limit(f"revoke to refused, {what}, p99", percentile(seconds, 0.99), "ms",
                             most)
        self.stop(server)

    def measure_peers(self) -> None:
        data = self.folder / "peers"
        bench("fill", data, LISTED)
        credentials = data / "credentials.txt"
        server = self.serve(data)
        peer = self.start("node", BUILD / "bench/peers/oidc_provider.mjs", credentials)
        wrk(peer, 8, "form", credentials, "/token")  # V8 compiles while it runs
        self.alternate({"token": (server, "token", credentials),
                        "oidc-provider": (peer, "form", credentials, "/token")})
        self.table.ratio("tokens, ES256, durable audit", self.rates["token"],
                         self.rates["oidc-provider"], "oidc-provider, ES256, in memory", 6)
        self.stop_all()


def commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, text=True,
                          capture_output=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="measure another server as well")
    parser.add_argument("--record", action="store_true", help="write bench/RESULTS.md")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of one load in one round")
    arguments = parser.parse_args()
    heading = f"{describe()}; commit {commit()}; {datetime.date.today().isoformat()}"
    print(heading)
    with tempfile.TemporaryDirectory(prefix="claviger-bench-") as folder:
        run = Bench(Path(folder), arguments.rounds, arguments.seconds)
        try:
            run.measure_requests()
            gateways = GatewayBench(run)
            gateways.measure()
            gateways.measure_decisions()
            run.measure_threads()
            run.measure_audit()
            run.measure_idle()
            run.measure_revocations()
            run.measure_start()
            run.measure_lists()
            if arguments.peers:
                run.measure_peers()
        finally:
            run.stop_all()
    if arguments.record:
        (HERE / "RESULTS.md").write_text(
            "# Figures\n\nWritten by `./dev bench --peers --record`; see ADR 11 for the method.\n"
            f"Rates are requests per CPU second of the server.\n\n{heading}\n\n"
            + run.table.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
