# SPDX-License-Identifier: Apache-2.0
"""Verifies tokens with PyJWT's client for key sets, which keeps a set as long as it may: each line
of standard input is a token, and is answered by one line of JSON."""
from __future__ import annotations

import json
import sys

import jwt

url, issuer, audience, max_age = sys.argv[1:]
client = jwt.PyJWKClient(url, lifespan=float(max_age))


def verify(token: str) -> dict:
    try:
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(token, key.key, algorithms=["ES256", "RS256"], issuer=issuer,
                   audience=audience)
    except Exception as error:  # goes to the test, which fails with it
        return {"error": repr(error)}
    return {"kid": key.key_id}


for line in sys.stdin:
    print(json.dumps(verify(line.strip())), flush=True)
