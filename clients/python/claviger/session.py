# SPDX-License-Identifier: Apache-2.0
"""The verifier's own access token, and calls with it: got by client credentials, renewed before it
expires, got again once when the server refuses it."""
from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from .clock import Clock
from .errors import ConfigurationError, Unavailable
from .transport import USUAL_ANSWER_BYTES, Answer, Stream, Transport

TOKEN_PATH = "/oauth2/token"
RENEW_SECONDS = 60  # before the expiry, at least
RENEW_SHARE = 0.2  # of its life, at least

Credentials = tuple[str, str] | Callable[[], str]


class Session:
    """`credentials` is a client id with its secret, or a function that gives a token."""

    def __init__(self, transport: Transport, credentials: Credentials, clock: Clock):
        if not callable(credentials) and not (isinstance(credentials, tuple)
                                              and len(credentials) == 2):
            raise ConfigurationError("credentials are (client_id, client_secret), or a function "
                                     "that gives an access token")
        self._transport = transport
        self._credentials = credentials
        self._clock = clock
        self._renewing = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return "Session()"

    def token(self) -> str:
        if callable(self._credentials):
            return self._credentials()
        with self._renewing:
            if self._token is None or self._clock.monotonic() >= self._renew_at:
                self._token = self._get_token(*self._credentials)
            return self._token

    def reject(self, token: str) -> None:
        """The server does not take it: get another, unless somebody has done so already."""
        with self._renewing:
            if self._token == token:
                self._token = None

    def _get_token(self, client_id: str, secret: str) -> str:
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749 2.3.1
        answer = self._transport.request(
            "POST", TOKEN_PATH,
            {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
             "Content-Type": "application/x-www-form-urlencoded"},
            urlencode({"grant_type": "client_credentials"}).encode())
        if answer.status in (400, 401, 403):
            raise ConfigurationError(f"the server gives client {client_id!r} no token: is the "
                                     "secret right, and the account enabled?")
        document = read_json(answer, TOKEN_PATH)
        token, seconds = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or type(seconds) is not int:
            raise Unavailable(f"{TOKEN_PATH}: the answer holds no token")
        early = max(RENEW_SECONDS, seconds * RENEW_SHARE)
        self._renew_at = self._clock.monotonic() + max(seconds - early, seconds / 2)
        return token

    # --- calls ------------------------------------------------------------------------------------

    def get(self, path: str, longest: int = USUAL_ANSWER_BYTES) -> dict[str, Any]:
        answer = self._with_token(lambda headers: self._transport.request(
            "GET", path, headers, longest=longest))
        check_status(answer.status, path)
        return read_json(answer, path)

    def follow(self, path: str, headers: dict[str, str]) -> Stream:
        return self._with_token(
            lambda bearer: self._transport.open_stream(path, headers | bearer))

    def _with_token(self, call: Callable[[dict[str, str]], Any]) -> Any:
        token = self.token()
        answer = call({"Authorization": f"Bearer {token}"})
        if answer.status == 401:
            self.reject(token)
            if isinstance(answer, Stream):
                answer.end()
            answer = call({"Authorization": f"Bearer {self.token()}"})
        return answer


def check_status(status: int, path: str) -> None:
    if status == 403:
        raise ConfigurationError(
            f"the verifier's account may not read {path}: give it a role that holds "
            "security-settings:read and access_rules:read at the tenant")
    if status != 200:
        raise Unavailable(f"{path}: the server answers {status}")


def read_json(answer: Answer, path: str) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{path}: the answer is no JSON") from error
    if answer.status != 200 or not isinstance(document, dict):
        raise Unavailable(f"{path}: the server answers {answer.status}")
    return document
