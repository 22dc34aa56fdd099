# SPDX-License-Identifier: Apache-2.0
"""Form, signature and claims of tokens, and the keys that verify them."""
from __future__ import annotations

import base64
import dataclasses
import json
import threading
import time

import pytest
from attacks import jose
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from issuer import REALM, Issuer, Key, token_id

from claviger import ConfigurationError, InvalidToken, Stale, Verifier
from claviger.errors import Unavailable, WouldWait
from claviger.keys import KeySet, read_key, read_key_set
from claviger.strict import Malformed, decode_base64url, read_object
from scenario.server import REPOSITORY

SIGNATURES = REPOSITORY / "spec" / "vectors" / "jose" / "signatures.txt"


def vectors() -> list:
    rows = [line.split(" | ") for line in SIGNATURES.read_text().splitlines()
            if line and not line.startswith("#")]
    return [pytest.param(*row[1:], id=f"{row[1]} {row[0]}") for row in rows]


def public_jwk(private: object, algorithm: str) -> dict:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        members = jose.ec_jwk(private)
    elif isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        members = {"kty": "RSA", "n": jose.b64(numbers.n.to_bytes(256, "big").lstrip(b"\0")),
                   "e": jose.b64(numbers.e.to_bytes(3, "big"))}
    else:
        assert isinstance(private, ed25519.Ed25519PrivateKey)
        raw = private.public_key().public_bytes(serialization.Encoding.Raw,
                                                serialization.PublicFormat.Raw)
        members = {"kty": "OKP", "crv": "Ed25519", "x": jose.b64(raw)}
    return {**members, "use": "sig", "alg": algorithm, "kid": "k",
            "token_typ": "at+jwt"}


@pytest.mark.parametrize("algorithm, private, message, signature, verdict", vectors())
def test_signature_vectors(algorithm, private, message, signature, verdict):
    key = serialization.load_der_private_key(jose.unb64(private), None)
    read = read_key(public_jwk(key, algorithm))
    assert read is not None
    verified = read.verify(jose.unb64(message), decode_base64url(signature.strip()))
    assert verified == (verdict == "valid")


@pytest.mark.parametrize("change", [
    {"use": "enc"}, {"alg": "ES384"}, {"alg": "HS256"}, {"alg": "RS256"}, {"kty": "RSA"},
    {"crv": "P-384"}, {"kid": ""}, {"kid": 1}, {"token_typ": "cookie"},
    {"token_typ": None}, {"x": "AA"}, {"y": None}, {"d": "AA"}])
def test_a_key_that_is_none_of_ours_is_left_out(change):
    jwk = Key("access_token").jwk
    assert read_key(jwk) is not None
    assert read_key({name: value for name, value in (jwk | change).items()
                     if value is not None}) is None


def test_a_short_rsa_key_is_left_out():
    assert read_key(public_jwk(rsa.generate_private_key(65537, 1024), "RS256")) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}'])
def test_what_is_no_key_set_replaces_none(body):
    with pytest.raises(Unavailable):
        read_key_set(body)


@pytest.mark.parametrize("text", ["Zg=", "Zg==", "Zh", "Z", "Zm9v\n", "Zm+v", "Zm 9", "Zm9\u00e9"])
def test_base64url_has_one_spelling(text):
    with pytest.raises(Malformed):
        decode_base64url(text)


@pytest.mark.parametrize("text", [
    '{"a":1,"a":1}', '{"a":1,"\\u0061":1}', '{"a":NaN}', '{"a":1e400}', '{"a":-Infinity}', "[]",
    "{}x", "", '{"a":"\\u0000"}', '{"a\\n":1}', '{"a":"\\ud800"}', '{"a":"\n"}', '{"a":' * 3000,
    '{"a":' + "[" * 8 + "]" * 8 + "}", json.dumps({str(n): n for n in range(65)})])
def test_json_has_one_reading(text):
    with pytest.raises(Malformed):
        read_object(text.encode())
    with pytest.raises(Malformed):
        read_object(b'{"a":"\xff"}')
    assert read_object(b'{"a":[[[[[[[]]]]]]]}')


# --- claims ---------------------------------------------------------------------------------------


def test_a_good_token_says_what_it_says(issuer: Issuer, verifier: Verifier):
    token = verifier.verify(issuer.token(scope="project:read jobs:read", within="project:4711"))
    assert token["client_id"] == token.client_id == "robot"
    assert (token.subject_type, token.subject_id) == ("service-account", token.subject[3:])
    assert (token.epoch, token.secret) == (1, 1)
    assert token.permissions == {"project:read", "jobs:read"}
    assert token.within == ("project", "4711")
    assert verifier.verify(token.text) is token
    assert token.text not in repr(token)


def good_changes(issuer: Issuer) -> list[dict]:
    now = int(time.time())
    return [{"iss": f"{issuer.url}/auth/realms/{REALM}"}, {"aud": ["x", "runai"]},
            {"nbf": now + 50}, {"iat": now + 50}, {"sid": "0" * 8 + "-0000-4000-8000-" + "0" * 12},
            {"extra": [1]}]


def test_both_issuers_lists_and_small_clock_differences_are_good(issuer, verifier):
    for change in good_changes(issuer):
        assert verifier.verify(issuer.token(**change)), change


def bad_changes(issuer: Issuer) -> list[dict]:
    now = int(time.time())
    return [{"iss": issuer.url + "/"}, {"iss": f"{issuer.url}/auth/realms/other"}, {"iss": None},
            {"aud": "other"}, {"aud": []}, {"aud": None}, {"aud": {"runai": 1}}, {"exp": now},
            {"exp": None}, {"exp": float(now + 60)}, {"exp": str(now + 60)}, {"exp": True},
            {"iat": True}, {"nbf": -1}, {"tenant": True}, {"exp": 2**63},
            {"iat": None}, {"iat": now + 70}, {"nbf": now + 70}, {"tenant": 2}, {"tenant": None},
            {"client_id": None}, {"client_id": ""}, {"client_id": 1}, {"sub": "robot"},
            {"sub": None}, {"jti": "x"}, {"jti": None}, {"jti": jose.b64(bytes(23))},
            {"sid": "x"}, {"within": "project"}, {"within": "galaxy:1"}, {"within": "project:"},
            {"scope": 1}, {"cnf": {}}, {"header": {"typ": "JWT"}}, {"header": {"alg": "RS256"}},
            {"header": {"kid": "other"}}, {"header": {"crit": []}}, {"header": {"jwk": {}}},
            {"key": issuer.keys["id_token"]}, {"key": issuer.keys["security_event"]},
            {"key": Key("access_token")},
            {"key": Key("access_token"),
             "header": {"kid": issuer.keys["access_token"].kid}}]


def test_every_wrong_claim_is_refused(issuer: Issuer, verifier: Verifier):
    for change in bad_changes(issuer):
        with pytest.raises(InvalidToken):
            verifier.verify(issuer.token(**change))
            pytest.fail(str(change))
    for text in ("", "a.b", "a.b.c", "x" * 9000, "\u00e9.b.c", issuer.token() + "."):
        with pytest.raises(InvalidToken):
            verifier.verify(text)


def test_a_known_token_expires(issuer: Issuer, verifier: Verifier, clock):
    token = issuer.token(exp=int(time.time()) + 20)
    known = verifier.verify(token)
    clock.ahead += 21
    for one in (token, known):
        with pytest.raises(InvalidToken, match="expired"):
            verifier.can(one, "project:read")


def test_another_audience_and_fewer_algorithms(issuer: Issuer, make_verifier):
    verifier = make_verifier(audience="https://api.example")
    assert verifier.verify(issuer.token(aud="https://api.example"))
    with pytest.raises(InvalidToken, match="audience"):
        verifier.verify(issuer.token())
    with pytest.raises(ConfigurationError, match="algorithms"):
        make_verifier(algorithms=("HS256",))
    # Nothing verifies the verifier's own token.
    with pytest.raises(ConfigurationError):
        make_verifier(algorithms=("RS256",))


# --- the key set ----------------------------------------------------------------------------------


class Source:
    """A key set that is fetched, or is not to be had."""

    def __init__(self, *keys: Key):
        self.keys = list(keys)
        self.fetches = 0
        self.max_age: int | None = None
        self.is_away = False
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self) -> tuple[bytes, int | None]:
        self.fetches += 1
        self.gate.wait()
        if self.is_away:
            raise Unavailable("away")
        return json.dumps({"keys": [key.jwk for key in self.keys]}).encode(), self.max_age


@pytest.fixture
def source() -> Source:
    return Source(Key("access_token"))


@pytest.fixture
def key_set(source, clock) -> KeySet:
    keys = KeySet(source.fetch, clock)
    keys.refresh()
    return keys


def test_an_unknown_key_is_asked_for_seldom(source: Source, key_set: KeySet, clock):
    new = Key("access_token")
    source.keys.append(new)
    with pytest.raises(WouldWait):
        key_set.find(new.kid, may_wait=False)
    assert key_set.find(new.kid) and source.fetches == 2
    for name in ("a", "b", "c"):
        assert key_set.find(name) is None
    assert source.fetches == 2
    clock.ahead += 31
    assert key_set.find("a") is None and source.fetches == 3
    clock.ahead += 31
    assert key_set.find("a") is None and source.fetches == 3, "remembered as unknown"
    assert key_set.find("b") is None and source.fetches == 4


def test_who_comes_while_the_set_is_fetched_waits_for_it(source: Source, key_set: KeySet):
    new = Key("access_token")
    source.keys.append(new)
    source.gate.clear()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(key_set.find(new.kid)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    source.gate.set()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(found) and source.fetches == 2


def test_known_keys_serve_for_a_day_while_the_server_is_away(source, key_set, clock):
    kid = source.keys[0].kid
    assert not key_set.is_due()
    clock.ahead += 601
    assert key_set.is_due()
    source.is_away = True
    with pytest.raises(Unavailable):
        key_set.refresh()
    assert not key_set.is_due(), "not at once again"
    assert key_set.find(kid)
    clock.ahead += 24 * 3600
    with pytest.raises(Stale):
        key_set.find(kid)


def test_max_age_is_honoured_within_bounds(source, key_set, clock):
    for max_age, kept in ((0, 30), (120, 120), (10**8, 3600)):
        source.max_age = max_age
        key_set.refresh()
        assert kept - 1 < key_set.seconds_until_due() <= kept


def test_a_burned_key_stays_burned(source, key_set):
    kid = source.keys[0].kid
    before = key_set.current(kid)
    key_set.refresh()
    assert key_set.current(kid) is before
    key_set.burn(kid)
    key_set.refresh()
    assert key_set.find(kid) is None and source.fetches == 3


def test_a_key_that_has_changed_under_its_id_is_another(source, key_set):
    old, other = source.keys[0], Key("access_token")
    before = key_set.current(old.kid)
    other.jwk["kid"] = old.kid
    source.keys = [other]
    key_set.refresh()
    assert key_set.current(old.kid) is not before


def test_nothing_secret_is_shown(issuer: Issuer, verifier: Verifier):
    token = verifier.verify(issuer.token(jti=token_id()))
    shown = repr(token) + repr(verifier) + repr(vars(verifier))
    assert token.text not in shown and "secret'" not in shown
    assert dataclasses.is_dataclass(token)
    assert base64.b64encode(b"robot:secret").decode() not in shown
