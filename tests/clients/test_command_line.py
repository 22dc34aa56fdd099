# SPDX-License-Identifier: Apache-2.0
"""The built binary as a client of the API: what it prints, where, and how it ends."""
from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from scenario.api import Account, Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, binary

from .world import World

OK, FAILED, USAGE, REFUSED, DENIED, NOT_FOUND, TRY_LATER, UNREACHABLE = range(8)


def run(world: World | str, *words: str, **variables: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("CLAVIGER_") and not name.lower().endswith("_proxy")}
    url = world if isinstance(world, str) else world.url
    return subprocess.run([str(binary()), *words], capture_output=True, text=True, timeout=60,
                          check=False, env=kept | {"CLAVIGER_URL": url} | variables)


def pair(account: Account) -> dict[str, str]:
    return {"CLAVIGER_CLIENT_ID": account.client_id, "CLAVIGER_CLIENT_SECRET": account.secret}


ADMINISTRATOR = {"CLAVIGER_USERNAME": ADMIN_EMAIL, "CLAVIGER_PASSWORD": ADMIN_PASSWORD}


def assert_refused(done: subprocess.CompletedProcess, code: int, *parts: str) -> None:
    assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr.startswith("claviger: ") and done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr, done.stderr


def test_a_client_a_user_and_a_token_may_call(world: World, admin: Api):
    cluster = admin.create_cluster()
    account, api = admin.member("Viewer", "cluster", cluster)
    done = run(world, "access", "rules", **pair(account))
    assert done.returncode == OK, done
    assert done.stdout.splitlines()[0].split() == ["RULE", "ROLE", "SCOPE", "ID", "NAME"]
    assert "Viewer" in done.stdout and cluster in done.stdout and not done.stderr
    assert run(world, "access", "rules", CLAVIGER_TOKEN=api.token).stdout == done.stdout
    assert "System administrator" in run(world, "access", "rules", **ADMINISTRATOR).stdout


def test_json_is_the_answer_of_the_api(world: World, admin: Api):
    account, api = admin.member("Viewer", "cluster", admin.create_cluster())
    done = run(world, "access", "rules", "--json", "--limit", "1", **pair(account))
    assert json.loads(done.stdout) == api.call(
        "GET", "/api/v1/authorization/me/access-rules?limit=1")


def test_a_body_is_sent(world: World, admin: Api):
    cluster = admin.create_cluster()
    account, _ = admin.member("Viewer", "cluster", cluster)
    done = run(world, "access", "scopes", "project", "--action", "read", **pair(account))
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["read", "clusters", cluster] in lines and lines[0] == ["ACTION", "AT", "IDS"]
    assert not any(line[0] == "create" for line in lines)
    assert_refused(run(world, "access", "scopes", "no-such-thing", **pair(account)), USAGE,
                   "POST /api/v1/authorization/permitted-scopes")


def test_a_wrong_secret_is_one_line_with_the_request_id(world: World, admin: Api):
    account = admin.create_account()
    done = run(world, "access", "rules", CLAVIGER_CLIENT_ID=account.client_id,
               CLAVIGER_CLIENT_SECRET="a-wrong-secret-of-this-test")
    request_id = world.exchanges()[-1].header("X-Request-Id")
    assert_refused(done, REFUSED, request_id, "POST /api/v1/token", "check the credentials")
    assert "a-wrong-secret-of-this-test" not in done.stderr


def test_a_bad_token_is_refused(world: World):
    assert_refused(run(world, "access", "rules", CLAVIGER_TOKEN="not-a-token"), REFUSED,
                   "request id")


def test_a_missing_permission_is_denied(world: World, admin: Api):
    account, other = admin.create_account(), admin.create_account()
    done = run(world, "key", "delete", other.client_id, **pair(account))
    assert_refused(done, DENIED, other.client_id)
    assert admin.call("GET", f"/api/v1/service-accounts/{other.id}")["id"] == other.id


@pytest.mark.parametrize("called", ["id", "client_id", "name"])
def test_a_key_is_found_by_any_of_its_names(world: World, admin: Api, called: str):
    person = admin.person("Viewer")
    user = {"CLAVIGER_TOKEN": person.token}
    own, account = person.create_access_key(), admin.create_account()
    done = run(world, "key", "delete", getattr(own, called), **user)
    assert (done.returncode, done.stderr) == (OK, ""), done
    assert admin.try_account(own.client_id, own.secret).status_code == 400
    foreign = person.create_access_key()
    for key in (foreign, account):
        done = run(world, "key", "delete", getattr(key, called), **ADMINISTRATOR)
        assert (done.returncode, done.stderr) == (OK, ""), done
        assert admin.try_account(key.client_id, key.secret).status_code == 400


def test_a_name_of_several_keys_is_not_guessed_at(world: World, admin: Api):
    person = admin.person("System administrator")
    own = person.create_access_key()
    account = admin.create_account(own.name)
    done = run(world, "key", "delete", own.name, CLAVIGER_TOKEN=person.token)
    assert_refused(done, FAILED, "several keys", own.name)
    for key in (own, account):
        assert admin.try_account(key.client_id, key.secret).status_code == 200


def test_tokens_are_asked_about_and_ended(world: World, admin: Api, tmp_path: Path):
    account, api = admin.member("Viewer", "cluster", admin.create_cluster())
    file = tmp_path / "token"
    file.touch(0o600)  # others must not read it
    file.write_text(api.token + "\n")

    def introspect() -> subprocess.CompletedProcess:
        return run(world, "introspect", "--token-file", str(file), **pair(checker))

    checker, _ = admin.member("System administrator", "tenant", "1")
    shown = introspect()
    assert shown.returncode == OK, shown
    assert re.search("^active +true$", shown.stdout, re.MULTILINE)
    assert account.client_id in shown.stdout and api.token not in shown.stdout
    done = run(world, "revoke", "token", "--token-file", str(file), **ADMINISTRATOR)
    assert done.returncode == OK and done.stdout.startswith("Ended. "), done
    assert introspect().stdout.split() == ["active", "false"]
    # A new one is good until all of the account are ended.
    file.write_text(admin.account_token(account))
    assert "true" in introspect().stdout
    assert run(world, "revoke", "key", account.name, **ADMINISTRATOR).returncode == OK
    assert introspect().stdout.split() == ["active", "false"]
    file.write_text(admin.account_token(account))
    assert run(world, "revoke", "subject", account.id, **ADMINISTRATOR).returncode == OK
    assert introspect().stdout.split() == ["active", "false"]
    refused = run(world, "revoke", "tenant", **pair(account))
    assert_refused(refused, DENIED)


def test_limits_of_a_key_are_shown(world: World, admin: Api):
    account = admin.create_account()
    words = ("key", "limits", account.client_id)
    assert run(world, *words, **ADMINISTRATOR).stdout == "The key has no limits.\n"
    until = "2030-01-01T00:00:00Z"
    admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits",
               {"expiresAt": until, "addresses": ["127.0.0.0/8"]})
    shown = run(world, *words, **ADMINISTRATOR).stdout
    assert re.search("^expires at +2030-01-01T00:00:00", shown, re.MULTILINE)
    assert "127.0.0.0/8" in shown
    listed = run(world, "key", "expiring", "--within", "3650d", **ADMINISTRATOR)
    assert account.client_id in listed.stdout, listed
    soon = run(world, "key", "expiring", "--within", "1d", **ADMINISTRATOR)
    assert account.client_id not in soon.stdout


def test_an_unknown_key_is_not_found(world: World):
    assert_refused(run(world, "key", "delete", "no-such-key", **ADMINISTRATOR), NOT_FOUND,
                   "no-such-key")


def test_wrong_use_calls_nobody(world: World):
    world.exchanges()
    assert_refused(run(world, "access", "rules"), USAGE, "there are no credentials")
    assert_refused(run(world, "access", "rules", "--limit", "many", **ADMINISTRATOR), USAGE,
                   "--limit")
    assert_refused(run("http://192.0.2.1", "access", "rules", **ADMINISTRATOR), USAGE,
                   "plain HTTP")
    assert world.exchanges() == []


class Odd(BaseHTTPRequestHandler):
    """What stands in the way of a server: sends on, answers HTML, or far too much."""

    def do_GET(self):
        self.server.seen.append(self.headers.get("Authorization"))
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object):
        pass


@pytest.fixture
def odd():
    server = HTTPServer(("127.0.0.1", 0), Odd)
    server.seen, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirection_is_not_followed(odd: HTTPServer):
    url = f"http://127.0.0.1:{odd.server_port}"
    odd.answers = [(302, {"Location": f"{url}/elsewhere"}, b"")]
    done = run(url, "access", "rules", CLAVIGER_TOKEN="a-token")
    assert_refused(done, FAILED, "status 302")
    assert odd.seen == ["Bearer a-token"]


def test_answers_of_others_are_told_apart(odd: HTTPServer):
    url = f"http://127.0.0.1:{odd.server_port}"
    odd.answers = [(502, {"X-Request-Id": "abc"}, b"<html>\x1b[2J</html>"),
                   (200, {}, b"<html></html>"), (503, {}, b"busy"),
                   (404, {}, b'{"message": "\x1b]0;x\x07", "details": ""}')]
    assert_refused(run(url, "access", "rules", CLAVIGER_TOKEN="t"), FAILED, "status 502",
                   "request id abc")
    assert_refused(run(url, "access", "rules", CLAVIGER_TOKEN="t"), FAILED, "not JSON")
    assert_refused(run(url, "access", "rules", CLAVIGER_TOKEN="t"), TRY_LATER, "status 503")
    assert "\x1b" not in run(url, "access", "rules", CLAVIGER_TOKEN="t").stderr


def test_an_answer_has_a_limit(odd: HTTPServer):
    odd.answers = [(200, {}, b" " * (65 * 1024 * 1024))]
    done = run(f"http://127.0.0.1:{odd.server_port}", "access", "rules", CLAVIGER_TOKEN="t")
    assert_refused(done, FAILED, "larger than", "ask for less")


def test_a_certificate_must_be_trusted(odd: HTTPServer, tmp_path: Path):
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-days", "1", "-keyout", str(key), "-out",
                    str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    odd.socket = context.wrap_socket(odd.socket, server_side=True)
    url, token = f"https://localhost:{odd.server_port}", {"CLAVIGER_TOKEN": "t"}
    no_rules = b'{"accessRules": {"accessRules": []}}'
    odd.answers = [(200, {}, no_rules)] * 2
    assert_refused(run(url, "access", "rules", **token), UNREACHABLE, "--ca-file")
    assert odd.seen == []
    for trusted in (run(url, "access", "rules", "--ca-file", str(certificate), **token),
                    run(url, "access", "rules", CLAVIGER_CA_FILE=str(certificate), **token)):
        assert (trusted.returncode, trusted.stderr) == (OK, ""), trusted
        assert trusted.stdout == "No access rule reaches you.\n"
    other_name = f"https://127.0.0.1:{odd.server_port}"
    assert_refused(run(other_name, "access", "rules", "--ca-file", str(certificate), **token),
                   UNREACHABLE, other_name)
