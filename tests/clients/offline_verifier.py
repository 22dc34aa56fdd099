# SPDX-License-Identifier: Apache-2.0
"""A verifier that checks tokens without asking the server, and hears within a second what has
ended: docs/guides/revocation.md as a program. It can be taken as a pattern."""
from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable

import jwt
import requests

EVENT = "urn:claviger:event:"
AUDIENCE_OF_EVENTS = "urn:claviger:revocations"
ALGORITHMS = ["ES256", "RS256"]
CONNECT_SECONDS = 5
SILENCE_SECONDS = 40  # the server says something every 15
PAUSE_SECONDS = 0.05  # after a lost connection


class Refused(Exception):
    pass


class Stale(Refused):
    """Nothing has been heard for so long that what has ended meanwhile is not known."""


def read_token_id(token_id: str) -> tuple[int, int]:
    """The epoch of the key, and the number of the secret that the token was got with."""
    content = base64.urlsafe_b64decode(token_id + "=" * (-len(token_id) % 4))
    return int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")


class Ended:
    """What has ended, as far as `number`."""

    def __init__(self, number: int = 0):
        self.number = number
        self.not_before = 0
        self.until: dict[str, int] = {}  # of token and session ids, when they may be forgotten
        self.subjects: dict[str, tuple[int, bool]] = {}  # epoch and whether it is active
        self.keys: dict[str, tuple[int, bool]] = {}
        self.secrets: dict[tuple[str, int], int] = {}  # when they may be forgotten

    def apply(self, event: str, facts: dict) -> None:
        kind = event.removeprefix(EVENT)
        if kind == "token-revoked":
            self.until[facts["jti"]] = facts["until"]
        elif kind == "session-revoked":
            self.until[facts["sid"]] = facts["until"]
        elif kind == "key-revoked":
            self.keys[facts["client_id"]] = facts["epoch"], facts["active"]
        elif kind == "principal-revoked":
            self.subjects[facts["sub"]] = facts["epoch"], facts["active"]
        elif kind == "secret-revoked":
            self.secrets[facts["client_id"], facts["secret"]] = facts["until"]
        elif kind == "tenant-revoked":
            self.not_before = max(self.not_before, facts["not_before"])

    def forget(self, now: float) -> None:
        for name in [name for name, until in self.until.items() if until <= now]:
            del self.until[name]
        for secret in [secret for secret, until in self.secrets.items() if until <= now]:
            del self.secrets[secret]

    def holds(self, claims: dict) -> bool:
        epoch, secret = read_token_id(claims["jti"])
        subject_epoch, is_active = self.subjects.get(claims["sub"], (0, True))
        key = self.keys.get(claims["client_id"])
        if claims["client_id"].startswith("ak-"):  # an access key has an epoch of its own
            least, key_is_active = key or (0, True)
            is_active = is_active and key_is_active
        else:
            least = subject_epoch
        return (claims["jti"] in self.until or claims.get("sid") in self.until
                or (claims["client_id"], secret) in self.secrets
                or claims["iat"] < self.not_before or epoch < least or not is_active)


class OfflineVerifier:
    """`bearer` gives a token of an account that may follow the feed. `lease_seconds` is for how
    long tokens are accepted without word from the server."""

    def __init__(self, url: str, issuer: str, audience: str, bearer: Callable[[], str],
                 lease_seconds: float = 60):
        self.url = url
        self.issuer = issuer
        self.audience = audience
        self.bearer = bearer
        self.lease_seconds = lease_seconds
        self.keys: dict[str, jwt.PyJWK] = {}
        self.ended = Ended()
        self.heard_at = 0.0
        self.changed = threading.Condition()
        self.stopping = False
        self.snapshots = 0
        self.connections = 0
        self.stream: requests.Response | None = None
        self.load_keys()
        self.load_snapshot()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.stopping = True
        self.disconnect()
        self.thread.join(timeout=SILENCE_SECONDS)

    def disconnect(self) -> None:
        """As a network does: the reading thread finds the connection gone."""
        stream = self.stream
        if stream is not None:
            stream.raw.shutdown()

    # --- tokens -----------------------------------------------------------------------------------

    def verify(self, token: str) -> dict:
        """The claims of a token that is good; no request is made for it."""
        try:
            claims = jwt.decode(token, self.key_of(token), algorithms=ALGORITHMS,
                                issuer=self.issuer, audience=self.audience,
                                options={"require": ["exp", "iat", "sub", "jti", "client_id"]})
        except jwt.PyJWTError as error:
            raise Refused(str(error)) from error
        if jwt.get_unverified_header(token)["typ"] != "at+jwt":
            raise Refused("this is no access token")
        if time.monotonic() - self.heard_at > self.lease_seconds:
            raise Stale("no word from the server")
        with self.changed:
            if self.ended.holds(claims):
                raise Refused("it has ended")
        return claims

    def key_of(self, token: str) -> jwt.PyJWK:
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self.keys:
            raise Refused("the signing key is unknown")
        return self.keys[kid]

    # --- what the server tells --------------------------------------------------------------------

    def get(self, path: str, **more) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.bearer()}", **more.pop("headers", {})}
        return requests.get(self.url + path, headers=headers,
                            timeout=(CONNECT_SECONDS, SILENCE_SECONDS), **more)

    def load_keys(self) -> None:
        answer = self.get("/.well-known/jwks.json")
        answer.raise_for_status()
        self.keys = {key["kid"]: jwt.PyJWK(key) for key in answer.json()["keys"]}

    def load_snapshot(self) -> None:
        answer = self.get("/api/v1/revocations/snapshot")
        answer.raise_for_status()
        document = answer.json()
        ended = Ended(document["number"])
        for number, part in enumerate(document["parts"], 1):
            claims = self.read_event(part)
            is_last = number == len(document["parts"])
            if (claims["number"], claims["part"], claims["last"]) != (ended.number, number,
                                                                      is_last):
                raise Refused("a part of the snapshot is missing")
            for facts in claims["events"][f"{EVENT}snapshot"]["revocations"]:
                ended.apply(facts["event"], facts)
        with self.changed:
            self.ended = ended
            self.snapshots += 1
            self.hear()

    def read_event(self, text: str) -> dict:
        header = jwt.get_unverified_header(text)
        if header.get("typ") != "secevent+jwt":
            raise Refused("this is no security event")
        if header["kid"] not in self.keys:
            self.load_keys()  # once per unknown key
        return jwt.decode(text, self.key_of(text), algorithms=ALGORITHMS, issuer=self.issuer,
                          audience=AUDIENCE_OF_EVENTS, options={"require": ["iat", "jti"]})

    def hear(self) -> None:
        self.heard_at = time.monotonic()
        self.changed.notify_all()

    # --- the feed ---------------------------------------------------------------------------------

    def follow(self) -> None:
        while not self.stopping:
            try:
                self.read_stream()
            except (requests.RequestException, Refused, OSError, AttributeError, ValueError):
                pass  # whatever it was: begin again where it stopped
            time.sleep(PAUSE_SECONDS)

    def read_stream(self) -> None:
        with self.get("/api/v1/revocations/feed", stream=True,
                      headers={"Accept": "text/event-stream",
                               "Last-Event-ID": str(self.ended.number)}) as answer:
            if answer.status_code == 410:
                self.load_snapshot()
                return
            answer.raise_for_status()
            self.stream = answer
            self.connections += 1
            for line in answer.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    self.take(line[len(b"data: "):].decode())
                with self.changed:
                    self.hear()

    def take(self, text: str) -> None:
        claims = self.read_event(text)
        (event, facts), = claims["events"].items()
        if claims["number"] != self.ended.number + 1:
            raise Refused("an entry of the feed is missing")
        if event == f"{EVENT}signing-keys-changed":
            self.load_keys()
        with self.changed:
            self.ended.apply(event, facts)
            self.ended.forget(time.time())
            self.ended.number = claims["number"]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> float:
        """The seconds until the condition held."""
        began = time.monotonic()
        with self.changed:
            assert self.changed.wait_for(condition, seconds), json.dumps(
                {"number": self.ended.number, "connections": self.connections})
        return time.monotonic() - began

    def refuses(self, token: str) -> bool:
        try:
            self.verify(token)
        except Refused:
            return True
        return False
