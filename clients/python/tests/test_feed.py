# SPDX-License-Identifier: Apache-2.0
"""What a verifier hears, what it does when it hears nothing, and what it does not believe: against
a stand-in that can do wrong."""
from __future__ import annotations

import os
import threading
import time

import pytest
from attacks import jose
from issuer import ADMIN, DEADLINE_SECONDS, Issuer, Key, outlast_lease, token_id

from claviger import (ANYWHERE, ConfigurationError, Denied, InvalidToken, Revoked, Stale, Verifier)

FEED = "/api/v1/revocations/feed"
REVOCATIONS = "/api/v1/revocations/snapshot"
RULES = "/api/v1/authorization/snapshot"
KEYS = "/.well-known/jwks.json"
LATER = int(time.time()) + 3600


def hears(verifier: Verifier, condition) -> None:
    assert verifier._follower.wait_for(condition, DEADLINE_SECONDS), verifier._follower.problem


def hear(verifier: Verifier, number: int) -> None:
    assert verifier.wait_for(number, DEADLINE_SECONDS), verifier._follower.problem


# --- what ends a token ----------------------------------------------------------------------------


def test_each_entry_ends_what_it_says(issuer: Issuer, make_verifier):
    session = "00000000-0000-4000-8000-00000000000a"
    jti = token_id()
    user = "user:00000000-0000-4000-8000-000000000002"
    issuer.rules["users"] = [[user, "ann@a.example", []]]
    verifier = make_verifier()
    other = "sa:00000000-0000-4000-8000-000000000003"
    cases = [
        ({"jti": jti}, {}, "token-revoked", {"jti": jti}),
        ({"sid": session}, {}, "session-revoked", {"sid": session}),
        ({"client_id": "ak-1", "sub": user}, {"client_id": "ak-2", "sub": user}, "key-revoked",
         {"client_id": "ak-1", "epoch": 1, "active": False}),
        ({"client_id": "ak-2", "sub": user}, {"client_id": "ak-2", "jti": token_id(2), "sub": user},
         "key-revoked", {"client_id": "ak-2", "epoch": 2, "active": True}),
        ({"jti": token_id(1, 5)}, {"jti": token_id(1, 6)}, "secret-revoked",
         {"client_id": "robot", "secret": 5}),
        ({"sub": user}, {"sub": user, "client_id": "ak-3"}, "principal-revoked",
         {"sub": user, "epoch": 2, "active": True}),
        ({"sub": user, "client_id": "ak-3"}, {}, "principal-revoked",
         {"sub": user, "epoch": 2, "active": False}),
        ({"sub": other}, {"sub": other, "jti": token_id(3)}, "principal-revoked",
         {"sub": other, "epoch": 3, "active": True}),
        ({"iat": int(time.time()) - 5}, {"iat": int(time.time()) + 2}, "tenant-revoked",
         {"not_before": int(time.time())})]
    for ended, stays, name, facts in cases:
        ending, staying = issuer.token(**ended), issuer.token(**stays)
        known = verifier.verify(ending)
        verifier.verify(staying)
        hear(verifier, issuer.tell(name, **facts))
        for one in (ending, known):
            with pytest.raises(Revoked):
                verifier.can(one, "project:read")
        verifier.verify(staying)


def test_the_snapshot_ends_tokens_as_the_feed_does(issuer: Issuer, make_verifier):
    jti = token_id()
    issuer.ended = [{"event": "urn:claviger:event:token-revoked", "jti": jti, "until": LATER}]
    verifier = make_verifier()
    with pytest.raises(Revoked):
        verifier.verify(issuer.token(jti=jti))
    assert verifier.verify(issuer.token())


def test_what_would_have_expired_is_forgotten(issuer: Issuer, verifier: Verifier):
    jti = token_id()
    hear(verifier, issuer.tell("token-revoked", jti=jti, until=int(time.time()) - 1))
    hear(verifier, issuer.tell("secret-revoked", client_id="robot", secret=1, until=1))
    assert verifier.verify(issuer.token(jti=jti))


# --- lost, late, wrong ----------------------------------------------------------------------------


def test_a_lost_connection_is_taken_up_where_it_stopped(issuer: Issuer, verifier: Verifier):
    first, second = token_id(), token_id()
    hear(verifier, issuer.tell("token-revoked", jti=first))
    issuer.drop()
    hear(verifier, issuer.tell("token-revoked", jti=second))
    hears(verifier, lambda: verifier._follower.connections == 2)
    for jti in (first, second):
        with pytest.raises(Revoked):
            verifier.verify(issuer.token(jti=jti))
    assert issuer.asked(REVOCATIONS) - issuer.asked("challenge") == 2  # one asks for the realm
    assert verifier._follower.snapshots == 1


def test_who_is_too_far_behind_takes_the_snapshot(issuer: Issuer, verifier: Verifier):
    hear(verifier, issuer.tell("token-revoked", jti=token_id()))
    jti = token_id()
    with issuer.changed:  # the numbers are others, as after a restore
        issuer.first, issuer.entries, issuer.number = 500, [], 499
        issuer.ended = [{"event": "urn:claviger:event:token-revoked", "jti": jti, "until": LATER}]
    rules, keys = issuer.asked(RULES), issuer.asked(KEYS)
    issuer.drop()
    hears(verifier, lambda: verifier._follower.snapshots == 2)
    hear(verifier, issuer.tell("token-revoked", jti=token_id()))
    with pytest.raises(Revoked):
        verifier.verify(issuer.token(jti=jti))
    assert issuer.asked(RULES) > rules and issuer.asked(KEYS) > keys, "they may have changed too"


def test_nothing_is_accepted_when_the_lease_is_over(issuer, make_verifier, clock):
    verifier = make_verifier(lease_seconds=30)
    token = issuer.token()
    known = verifier.verify(token)
    with issuer.changed:
        issuer.silent = True
    outlast_lease(verifier, clock, 30)
    for ask in (lambda: verifier.verify(token), lambda: verifier.can(known, "project:read"),
                lambda: verifier.verify(issuer.token())):
        with pytest.raises(Stale, match="nothing was heard"):
            ask()
    with pytest.raises(InvalidToken):  # what is not good is no matter of the lease
        verifier.verify(issuer.token(aud="other"))
    heard_at = verifier._follower.heard_at
    issuer.drop()  # the next connection begins with a comment
    hears(verifier, lambda: verifier._follower.heard_at > heard_at)
    assert verifier.verify(token)


def test_a_gap_is_noticed(issuer: Issuer, verifier: Verifier):
    jti = token_id()
    issuer.ended = [{"event": "urn:claviger:event:token-revoked", "jti": jti, "until": LATER}]
    issuer.tell_text(issuer.event(7, "token-revoked", jti=token_id()))
    hears(verifier, lambda: verifier._follower.snapshots == 2)
    with pytest.raises(Revoked):
        verifier.verify(issuer.token(jti=jti))


def forged_entries(issuer: Issuer, jti: str) -> list[str]:
    """Each would end the token, if it were believed."""
    good = {"number": 1, "events": {"urn:claviger:event:token-revoked": {
        "jti": jti, "until": LATER}}}
    key, events = issuer.keys["security_event"], "urn:claviger:revocations"
    head = {"alg": "ES256", "kid": key.kid, "typ": "secevent+jwt"}
    claims = {"iss": issuer.url, "aud": events, "iat": int(time.time()), "jti": "x", **good}
    attacker, tokens = Key("security_event"), issuer.keys["access_token"]
    return [
        "x", "a.b.c",
        jose.token(head, claims, attacker.private),
        jose.token({**head, "kid": attacker.kid}, claims, attacker.private),
        jose.token({**head, "kid": tokens.kid}, claims, tokens.private),
        jose.token({**head, "typ": "at+jwt"}, claims, key.private),
        jose.token({**head, "alg": "none"}, claims, key.private),
        jose.token(head, {**claims, "iss": "https://other.example"}, key.private),
        jose.token(head, {**claims, "aud": "runai"}, key.private),
        jose.token(head, {**claims, "exp": LATER}, key.private),
        jose.token(head, {**claims, "number": "1"}, key.private),
        jose.token(head, {**claims, "events": {}}, key.private),
        jose.token(head, {**claims, "events": []}, key.private),
        jose.token(head, {**claims, "events": {
            "urn:claviger:event:token-revoked": {}}}, key.private),
        jose.token(head, {**claims, "events": {"urn:claviger:event:new-thing": {}}}, key.private)]


def test_an_entry_that_is_not_good_is_not_believed(issuer: Issuer, make_verifier):
    jti = token_id()
    for text in forged_entries(issuer, jti):
        with make_verifier() as verifier:
            issuer.tell_text(text)
            hears(verifier, lambda: verifier._follower.failures > 0)
            assert verifier._follower.ended.number == 0, text
            assert verifier.verify(issuer.token(jti=jti)), text
            with issuer.changed:
                issuer.entries, issuer.number = [], 0


@pytest.mark.parametrize("change", [
    {"number": 1}, {"part": 2}, {"last": False}, {"aud": "runai"},
    {"events": {"urn:claviger:event:snapshot": {"revocations": [{"event": "x"}]}}}])
def test_a_snapshot_that_is_not_whole_is_not_believed(issuer: Issuer, make_verifier, change):
    good = {"number": 0, "part": 1, "last": True,
            "events": {"urn:claviger:event:snapshot": {"revocations": []}}}
    answer = issuer.answer
    issuer.answer = lambda path: {"number": 0, "parts": [issuer.signed(
        "secevent+jwt", **{"audience": "urn:claviger:revocations", **good, **change})]} if (
            path == REVOCATIONS) else answer(path)
    verifier = make_verifier(start_seconds=0.5)
    with pytest.raises(Stale):
        verifier.verify(issuer.token())


# --- keys -----------------------------------------------------------------------------------------


def test_a_new_key_is_known_when_the_feed_has_told(issuer: Issuer, verifier: Verifier):
    new = Key("access_token")
    issuer.published.append(new.jwk)
    number = issuer.tell("signing-keys-changed", kid=new.kid, burned=False)
    hear(verifier, number)
    hears(verifier, lambda: verifier._keys.current(new.kid) is not None)
    assert verifier.verify(issuer.token(key=new))


def test_the_feed_may_be_signed_with_a_new_key(issuer: Issuer, verifier: Verifier):
    new = Key("security_event")
    issuer.published.append(new.jwk)
    issuer.keys["security_event"] = new
    jti = token_id()
    hear(verifier, issuer.tell("token-revoked", jti=jti))
    with pytest.raises(Revoked):
        verifier.verify(issuer.token(jti=jti))


def test_a_burned_key_is_refused_though_a_cache_still_has_it(issuer: Issuer, verifier: Verifier):
    burned, new = issuer.keys["access_token"], Key("access_token")
    token = issuer.token()
    known = verifier.verify(token)
    issuer.published.append(new.jwk)
    hear(verifier, issuer.tell("signing-keys-changed", kid=burned.kid, burned=True))
    for one in (token, known, issuer.token()):
        with pytest.raises(InvalidToken):
            verifier.can(one, "project:read")
    hears(verifier, lambda: verifier._keys.current(new.kid) is not None)
    assert verifier.verify(issuer.token(key=new))


# --- rules ----------------------------------------------------------------------------------------


def give_rule(issuer: Issuer, permission: str = "project:read") -> None:
    issuer.rules["roles"] = [[7, [permission]]]
    issuer.rules["rules"] = [[1, "service-account", ADMIN[3:], 7, 0]]


def test_a_changed_rule_acts_on_tokens_that_are_out(issuer: Issuer, verifier: Verifier):
    token = verifier.verify(issuer.token())
    assert verifier.can(token, "project:read").reason == "no rule"
    give_rule(issuer)
    hear(verifier, issuer.tell("rules-changed", revision=1))
    assert verifier.can(token, "project:read").rule == 1
    assert verifier.can(token, "project:read", ANYWHERE)
    assert verifier.can(token, "project:read", ("project", "9")).reason == "unknown resource"
    with pytest.raises(Denied, match="missing permission project:delete at the tenant"):
        verifier.require(token, "project:delete")


def test_rules_that_cannot_be_fetched_decide_for_the_lease_only(issuer, make_verifier, clock):
    give_rule(issuer)
    verifier = make_verifier(lease_seconds=30)
    token = issuer.token()
    issuer.fails[RULES] = 500
    issuer.tell("rules-changed", revision=1)
    hears(verifier, lambda: verifier._follower.ended.number == 1
          and issuer.asked(RULES) > 1)
    assert verifier.can(token, "project:read")
    clock.ahead += 31
    heard_at = verifier._follower.heard_at
    issuer.drop()
    hears(verifier, lambda: verifier._follower.heard_at > heard_at)
    with pytest.raises(Stale, match="rules have changed"):
        verifier.can(token, "project:read")
    del issuer.fails[RULES]
    hears(verifier, lambda: verifier._follower.rules_outdated_since is None)
    assert verifier.can(token, "project:read")


def test_rules_that_change_all_the_time_do_not_go_stale(issuer, make_verifier, clock):
    """What counts is how long the oldest change is not in force."""
    give_rule(issuer)
    verifier = make_verifier(lease_seconds=30)
    token, held = issuer.token(), HeldRules(issuer)
    issuer.tell("rules-changed", revision=1)
    held.wait(1)
    clock.ahead += 20
    number = issuer.tell("rules-changed", revision=2)
    hears(verifier, lambda: verifier._follower.ended.number == number)
    held.release()
    hears(verifier, lambda: verifier._follower.rules.number == number)
    clock.ahead += 20
    assert verifier.can(token, "project:read")
    held.release()


class HeldRules:
    """Answers about rules wait until they are released."""

    def __init__(self, issuer: Issuer):
        self.issuer, self.answer = issuer, issuer.answer
        self.releases = threading.Semaphore(0)
        self.begin = issuer.asked(RULES)
        self.documents: list[object] = []  # to be answered instead, None for a failure
        issuer.answer = self.late

    def late(self, path: str) -> object:
        if path != RULES:
            return self.answer(path)
        assert self.releases.acquire(timeout=DEADLINE_SECONDS)
        return self.documents.pop(0) if self.documents else self.answer(path)

    def wait(self, requests: int) -> None:
        wait_for(lambda: self.issuer.asked(RULES) - self.begin >= requests)

    def release(self, *documents: object, answers: int = 1) -> None:
        self.documents += documents
        self.releases.release(answers)


def test_rules_older_than_the_feed_are_asked_for_again(issuer: Issuer, verifier: Verifier):
    token, held = issuer.token(), HeldRules(issuer)
    old = held.answer(RULES)
    give_rule(issuer)
    number = issuer.tell("rules-changed", revision=1)
    held.release(old, old, answers=3)
    hear(verifier, number)
    assert verifier.can(token, "project:read")


def wait_for(condition) -> None:
    """For what the stand-in sees, which tells nobody."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)  # polls; the assertion is the deadline's


def test_rules_that_were_wanted_before_a_restore_are_not_waited_for(issuer, verifier):
    token, held = issuer.token(), HeldRules(issuer)
    for revision in (1, 2, 3):
        issuer.tell("rules-changed", revision=revision)
    hears(verifier, lambda: verifier._follower.ended.number == 3)
    held.wait(1)
    with issuer.changed:
        issuer.first, issuer.entries, issuer.number = 2, [], 1
    give_rule(issuer)
    issuer.drop()
    hears(verifier, lambda: verifier._follower.snapshots == 2)
    held.release(None, None, answers=100)
    hears(verifier, lambda: verifier._follower.rules_outdated_since is None)
    assert verifier.can(token, "project:read")


def test_limits_of_the_key(issuer: Issuer, make_verifier, clock):
    give_rule(issuer)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 10))
    here = {"addresses": ["10.0.0.0/8"]}
    issuer.rules["limits"] = [
        ["trap", {"honey": True}], ["old", {"expiresAt": soon}], ["here", here],
        ["told", {**here, "addressMode": "log-only"}],
        ["less", {"ceiling": {"permissions": ["jobs:read"]}}]]
    verifier = make_verifier()
    with pytest.raises(InvalidToken, match="trap"):
        verifier.verify(issuer.token(client_id="trap"))
    old = verifier.verify(issuer.token(client_id="old"))
    here = verifier.verify(issuer.token(client_id="here"), "10.1.1.1")
    assert verifier.can(here, "project:read")
    for address in (None, "11.1.1.1", "x"):
        with pytest.raises(InvalidToken, match="address"):
            verifier.verify(here.text, address)
    assert verifier.verify(issuer.token(client_id="told"), "11.1.1.1")
    less = verifier.can(issuer.token(client_id="less"), "project:read")
    assert less.reason == "beyond the key's ceiling"
    clock.ahead += 11
    with pytest.raises(InvalidToken, match="expired"):
        verifier.can(old, "project:read")


def test_users_are_their_e_mail_and_groups(issuer: Issuer, verifier: Verifier):
    user = "user:00000000-0000-4000-8000-000000000002"
    text, asked = issuer.token(sub=user), issuer.asked(RULES)
    with pytest.raises(InvalidToken, match="owner is unknown"):
        verifier.verify(text)
    hears(verifier, lambda: issuer.asked(RULES) > asked
          and verifier._follower.rules_outdated_since is None)  # somebody new is looked for
    issuer.rules["users"] = [[user, "ann@a.example", ["staff"]]]
    issuer.rules["roles"] = [[7, ["project:read"]], [8, ["jobs:read"]]]
    issuer.rules["rules"] = [[1, "user", "ann@a.example", 7, 0], [2, "group", "staff", 8, 0]]
    hear(verifier, issuer.tell("rules-changed", revision=1))
    token = verifier.verify(text)
    assert verifier.can(token, "project:read").rule == 1
    assert verifier.can(token, "jobs:read").rule == 2
    narrowed = issuer.token(sub=user, scope="openid jobs:read")
    assert verifier.can(narrowed, "jobs:read")
    assert verifier.can(narrowed, "project:read").reason == (
        "beyond what the token was narrowed to")


# --- the start and the verifier's own token -------------------------------------------------------


def test_what_trying_again_does_not_mend_is_told_at_once(issuer: Issuer, make_verifier):
    with pytest.raises(ConfigurationError, match="calls itself"):
        make_verifier(issuer="https://other.example")
    issuer.fails["/oauth2/token"] = 401
    with pytest.raises(ConfigurationError, match="gives client 'robot' no token") as raised:
        make_verifier()
    assert "'secret'" not in str(raised.value)
    del issuer.fails["/oauth2/token"]
    issuer.fails[RULES] = 403
    with pytest.raises(ConfigurationError, match="access_rules:read"):
        make_verifier()
    assert make_verifier(rules="server").verify(issuer.token())


@pytest.mark.parametrize("options", [
    {"url": "http://api.example"}, {"url": "ftp://127.0.0.1"}, {"url": "127.0.0.1:80"},
    {"url": "https://me:secret@api.example"}, {"rules": "mine"}, {"audience": ""},
    {"credentials": "token"}, {"credentials": ("a", "b", "c")}])
def test_options_that_make_no_sense(make_verifier, options):
    with pytest.raises(ConfigurationError):
        make_verifier(**options)


def test_a_server_that_comes_later_is_waited_for(issuer: Issuer, make_verifier):
    issuer.fails[KEYS] = 503
    verifier = make_verifier(start_seconds=0.1)
    with pytest.raises(Stale, match="not been reached"):
        verifier.verify(issuer.token())
    del issuer.fails[KEYS]
    hears(verifier, lambda: verifier._follower.is_ready)
    assert verifier.verify(issuer.token())


def test_its_own_token_is_got_again_when_it_is_refused(issuer: Issuer, make_verifier, clock):
    verifier = make_verifier()
    assert issuer.asked("/oauth2/token") == 1
    issuer.fails[FEED] = 401
    issuer.drop()
    hears(verifier, lambda: issuer.asked("/oauth2/token") > 1)
    del issuer.fails[FEED]
    hears(verifier, lambda: verifier._follower.connections > 1)
    asked = issuer.asked("/oauth2/token")
    clock.ahead += 3600  # it would have expired
    issuer.drop()
    hears(verifier, lambda: verifier._follower.connections > 2)
    assert issuer.asked("/oauth2/token") > asked


def test_a_function_may_give_the_token(issuer: Issuer, make_verifier):
    assert make_verifier(credentials=issuer.token).verify(issuer.token())
    assert issuer.asked("/oauth2/token") == 0
    with pytest.raises(ConfigurationError, match="own token is not good"):
        make_verifier(credentials=lambda: issuer.token(iss="https://other.example"))


def test_a_forked_process_must_make_its_own(issuer: Issuer, verifier: Verifier):
    token = issuer.token()
    assert verifier.verify(token)
    verifier._process = os.getpid() + 1
    with pytest.raises(Stale, match="forked"):
        verifier.verify(token)


def test_a_closed_verifier_accepts_nothing(issuer: Issuer, verifier: Verifier):
    with verifier:
        assert verifier.verify(issuer.token())
    with pytest.raises(Stale):
        verifier.verify(issuer.token())


@pytest.mark.parametrize("permission, scope", [
    ("read", None), (":read", None), ("project:", None), ("project:read", "project"),
    ("project:read", ("project",)), ("project:read", ("project", 7)), ("project:read", 7)])
def test_a_question_that_makes_no_sense_is_a_mistake_of_the_program(issuer, verifier, permission,
                                                                    scope):
    with pytest.raises(ValueError):
        verifier.can(issuer.token(), permission, scope)
