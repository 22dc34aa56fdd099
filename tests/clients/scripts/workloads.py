# SPDX-License-Identifier: Apache-2.0
"""A program that asks for workloads now and then, over requests. It signs in when it has no token
that is good for another minute, and once more when the server does not take the one it has. It
reads its orders, one line, from standard input, then lists once for each further line."""
from __future__ import annotations

import json
import sys
import time

import requests

RENEW_BEFORE = 60  # seconds


class Client:
    def __init__(self, url: str, client_id: str, client_secret: str):
        self.url, self.client_id, self.client_secret = url, client_id, client_secret
        self.token, self.renew_at, self.expires_in, self.logins = None, 0.0, 0, 0

    def sign_in(self) -> None:
        answer = requests.post(f"{self.url}/api/v1/token",
                               headers={"Content-Type": "application/json"},
                               json={"grantType": "client_credentials",
                                     "clientId": self.client_id,
                                     "clientSecret": self.client_secret}, timeout=30)
        if answer.status_code != 200:
            raise RuntimeError(f"no token: {answer.status_code} {answer.text}")
        given = answer.json()
        self.token = given["accessToken"]
        self.expires_in = given.get("expiresIn", 3600)
        self.renew_at = time.time() + self.expires_in - RENEW_BEFORE
        self.logins += 1

    def ask(self) -> requests.Response:
        return requests.get(f"{self.url}/api/v1/workloads",
                            headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def workloads(self) -> list | None:
        if self.token is None or time.time() >= self.renew_at:
            self.sign_in()
        answer = self.ask()
        if answer.status_code == 401:
            self.sign_in()
            answer = self.ask()
        return answer.json()["workloads"] if answer.status_code == 200 else None


def main() -> None:
    orders = json.loads(sys.stdin.readline())
    client = Client(orders["url"], orders["clientId"], orders["clientSecret"])
    for _ in sys.stdin:
        found = client.workloads()
        print(json.dumps({"workloads": None if found is None else len(found),
                          "logins": client.logins, "expiresIn": client.expires_in}), flush=True)


if __name__ == "__main__":
    main()
