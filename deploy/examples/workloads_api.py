#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small API that knows nothing of tokens: what it may believe, the gateway's headers say.

    python3 workloads_api.py [PORT]     listens on 127.0.0.1, port 8089 by default; 0 is any
"""
from __future__ import annotations

import contextlib
import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IDENTITY = ("X-Auth-Subject", "X-Auth-Subject-Type", "X-Auth-Subject-Id", "X-Auth-Tenant",
            "X-Auth-Permission", "X-Auth-Scope")
SKIP_SECONDS = 5
WORKLOADS = [{"id": "c2f1f0c4-8a11-4c57-9d0c-1d1a6a0d5f10", "name": "translate-en-de",
              "type": "Training", "phase": "Running"}]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        seen = {name: self.headers.get_all(name, []) for name in self.headers if
                name.lower().replace("_", "-").startswith("x-auth-")}
        print(json.dumps({"method": self.command, "target": self.path, "identity": seen}),
              flush=True)
        path = self.path.partition("?")[0]
        if path.endswith("/workloads"):
            body = {"workloads": WORKLOADS, "next": None}
        elif path == "/api/v1/whoami":
            body = {name: self.headers.get(name) for name in IDENTITY}
        else:
            body = {"path": path}
        data = json.dumps(body).encode()
        has_body = "Transfer-Encoding" in self.headers or any(
            length != "0" for length in self.headers.get_all("Content-Length", []))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if has_body:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        if has_body:
            self.skip_body()

    def skip_body(self) -> None:
        """What is left unread would be the next request, which no gateway has asked about."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(SKIP_SECONDS)
        with contextlib.suppress(OSError):
            while self.rfile.read1(65536):
                pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_: object) -> None:
        """Each request is printed above."""


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8089
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
