# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the server that signs what it is told to, and can do everything wrong: so that
what the real one never does is tested as well. And a clock that stands still."""
from __future__ import annotations

import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attacks import jose
from cryptography.hazmat.primitives.asymmetric import ec
from claviger.clock import Clock

EVENT = "urn:claviger:event:"
REALM = "runai"
TOKEN_TYPES = {"access_token": "at+jwt", "id_token": "JWT", "security_event": "secevent+jwt"}
ADMIN = "sa:00000000-0000-4000-8000-000000000001"
DEADLINE_SECONDS = 30


class FixedClock(Clock):
    """Real time, and what it is moved by."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def outlast_lease(verifier, clock: FixedClock, seconds: float) -> None:
    """When nothing more comes; what is on its way may still be heard."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while verifier.status().is_ready:
        assert time.monotonic() < deadline
        clock.ahead += seconds + 1


def token_id(epoch: int = 1, secret: int = 1) -> str:
    return jose.b64(epoch.to_bytes(4, "big") + secret.to_bytes(4, "big") + os.urandom(16))


class Key:
    def __init__(self, purpose: str):
        self.purpose = purpose
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = jose.ec_jwk(self.private)
        self.kid = jose.thumbprint(public)
        self.jwk = {**public, "use": "sig", "alg": "ES256", "kid": self.kid,
                    "token_typ": TOKEN_TYPES[purpose]}


class Issuer:
    def __init__(self) -> None:
        self.keys = {purpose: Key(purpose)
                     for purpose in ("access_token", "id_token", "security_event")}
        self.published = [key.jwk for key in self.keys.values()]
        self.number = 0
        self.entries: list[str] = []  # the first is number `first`
        self.first = 1
        self.ended: list[dict] = []  # of the revocation snapshot
        self.rules: dict[str, list] = {"nodes": [["tenant", "1", -1]], "roles": [], "users": [],
                                       "limits": [], "rules": []}
        self.requests: list[tuple[str, str]] = []
        self.fails: dict[str, int] = {}  # a status by path, instead of an answer
        self.silent = False
        self.streams: list = []
        self.changed = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.make_handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        with self.changed:
            self.silent = False
        self.drop()
        self.server.shutdown()
        self.server.server_close()

    # --- what it signs ----------------------------------------------------------------------------

    def token(self, *, key: Key | None = None, header: dict | None = None, **changes) -> str:
        key = key or self.keys["access_token"]
        now = int(time.time())
        claims = {"iss": self.url, "sub": ADMIN, "aud": "runai", "client_id": "robot", "iat": now,
                  "exp": now + 3600, "jti": token_id(), "tenant": 1, **changes}
        head = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt", **(header or {})}
        return jose.token(head, {name: value for name, value in claims.items()
                                 if value is not None}, key.private)

    def signed(self, kind: str, audience: str, **claims) -> str:
        key = self.keys["security_event"]
        return jose.token({"alg": "ES256", "kid": key.kid, "typ": kind},
                          {"iss": self.url, "aud": audience, "iat": int(time.time()),
                           "jti": "x", **claims}, key.private)

    def event(self, number: int, name: str, **facts) -> str:
        return self.signed("secevent+jwt", "urn:claviger:revocations", number=number,
                           events={EVENT + name: {"until": int(time.time()) + 3600, **facts}})

    def tell(self, name: str, **facts) -> int:
        """Adds an entry to the feed."""
        with self.changed:
            self.number += 1
            return self.tell_text(self.event(self.number, name, **facts))

    def tell_text(self, text: str) -> int:
        with self.changed:
            self.entries.append(text)
            self.number = self.first + len(self.entries) - 1
            self.changed.notify_all()
            return self.number

    def drop(self) -> None:
        """All streams end, as when a connection is lost."""
        with self.changed:
            self.streams = []
            self.changed.notify_all()

    def asked(self, path: str) -> int:
        return sum(1 for _, one in self.requests if one == path)

    # --- what it answers --------------------------------------------------------------------------

    def answer(self, path: str) -> object:
        if path == "/.well-known/jwks.json":
            return {"keys": self.published}
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url}
        if path == f"/auth/realms/{REALM}/.well-known/openid-configuration":
            return {"issuer": f"{self.url}/auth/realms/{REALM}"}
        if path == "/oauth2/token":
            return {"access_token": self.token(), "expires_in": 3600}
        if path == "/api/v1/revocations/snapshot":
            return {"number": self.number, "parts": [self.signed(
                "secevent+jwt", "urn:claviger:revocations", number=self.number, part=1, last=True,
                events={EVENT + "snapshot": {"revocations": self.ended}})]}
        if path == "/api/v1/authorization/snapshot":
            return {"number": self.number, "parts": self.rule_parts()}
        return None

    def rule_parts(self) -> list[str]:
        """The members over two parts."""
        names = list(self.rules)
        return [self.signed("access-snapshot+jwt", "urn:claviger:access-snapshot",
                            number=self.number, part=part, last=part == 2,
                            **{name: self.rules[name] for name in some})
                for part, some in ((1, names[:3]), (2, names[3:]))]

    def make_handler(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                issuer.requests.append((self.command, path))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if path in issuer.fails:
                    self.reply(issuer.fails[path], {"message": "no"})
                elif path == "/api/v1/revocations/feed":
                    self.stream(int(self.headers["Last-Event-ID"]))
                elif path.startswith("/api/") and "Authorization" not in self.headers:
                    self.reply(401, {}, ("WWW-Authenticate", f'Bearer realm="{REALM}"'))
                else:
                    document = issuer.answer(path)
                    self.reply(404 if document is None else 200, document or {})

            do_POST = do_GET

            def reply(self, status: int, document: object, *headers: tuple[str, str]) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                for name, value in (("Content-Type", "application/json"), *headers,
                                    ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def stream(self, after: int) -> None:
                if not issuer.first - 1 <= after <= issuer.number:
                    self.reply(410, {"message": "gone"})
                    return
                self.close_connection = True
                me = object()
                with issuer.changed:  # before the reader knows: it can be dropped from then on
                    issuer.streams.append(me)
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(b": still here\n\n")
                while True:
                    with issuer.changed:
                        issuer.changed.wait_for(
                            lambda: me not in issuer.streams or (
                                after < issuer.number and not issuer.silent))
                        if me not in issuer.streams:
                            return
                        waiting = issuer.entries[after - issuer.first + 1:]
                        number, after = after, issuer.number
                    for text in waiting:
                        number += 1
                        self.wfile.write(f"id: {number}\nevent: revocation\n"
                                         f"data: {text}\n\n".encode())

        return Handler


def basic(authorization: str) -> str:
    return base64.b64decode(authorization.removeprefix("Basic ")).decode()
