# SPDX-License-Identifier: Apache-2.0
"""Drives runapy 1.224: each line of standard input is [function, arguments], and is answered by
one line of JSON."""
from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import time
import traceback
from datetime import datetime
from importlib import metadata
from multiprocessing.pool import ThreadPool

from runai import models
from runai.api_client import ApiClient, AsyncApiClient, ThreadedApiClient
from runai.configuration import Configuration
from runai.exceptions import ApiException
from runai.runai_client import Audit, AuthenticationAndAuthorization, Organizations, Workloads


GROUPS = (AuthenticationAndAuthorization, Organizations, Audit, Workloads)


def configuration(url: str, client_id: str, client_secret: str) -> Configuration:
    return Configuration(client_id=client_id, client_secret=client_secret, runai_base_url=url)


def value_of(value: object) -> object:
    """{"model": name, ...} is that model, {"model": name, "wire": {...}} the same from its JSON,
    {"member": "Enumeration.NAME"} that member, {"time": "..."} that moment."""
    if isinstance(value, dict) and "wire" in value:
        return getattr(models, value["model"]).from_dict(value["wire"])
    if isinstance(value, dict) and "time" in value:
        return datetime.fromisoformat(value["time"])
    if isinstance(value, dict) and "model" in value:
        fields = {key: value_of(field) for key, field in value.items() if key != "model"}
        return getattr(models, value["model"])(**fields)
    if isinstance(value, dict) and "member" in value:
        enumeration, name = value["member"].split(".")
        return getattr(getattr(models, enumeration), name)
    return value


def method_of(client: ApiClient, name: str):
    """`group.method`, as in service_accounts.get_service_accounts."""
    group, method = name.split(".")
    owner = next(kind for kind in GROUPS if hasattr(kind, group))
    return getattr(getattr(owner(client), group), method)


def plain(answer) -> dict:
    return {"status": answer.status_code, "data": answer.data}


def failure(error: Exception, started: float) -> dict:
    return {"error": type(error).__name__, "message": str(error),
            "status": getattr(error, "status", None), "seconds": time.monotonic() - started}


def construct(**pair: str) -> dict:
    started = time.monotonic()
    try:
        client = ApiClient(configuration(**pair))
    except Exception as error:  # whatever it raises is the result
        return failure(error, started)
    payload = client._token.split(".")[1]
    return {"token": client._token, "claims": json.loads(base64.b64decode(payload + "=="))}


def calls(calls: list, **pair: str) -> list[dict]:
    """One client, one outcome for each [name, arguments]."""
    outcomes = []
    with ApiClient(configuration(**pair)) as client:
        for name, arguments in calls:
            started = time.monotonic()
            given = {key: value_of(value) for key, value in arguments.items()}
            try:
                outcomes.append(plain(method_of(client, name)(**given)))
            except ApiException as error:
                outcomes.append(failure(error, started))
    return outcomes


def read_strictly(model: str, values: list, url: str) -> list[str]:
    """Pydantic models of the client, which it does not use itself."""
    return [repr(getattr(models, model).from_dict(value)) for value in values]


def methods(url: str) -> list[str]:
    """`group.method` for all that the package has about authentication, authorization and audit."""
    found = []
    for kind in (AuthenticationAndAuthorization, Audit):
        for group, member in vars(kind).items():
            if isinstance(member, property):
                api = type(member.fget(kind(None)))
                found += [f"{group}.{name}" for name in vars(api) if not name.startswith("_")]
    return found


def examples(**pair: str) -> list[str]:
    """Runs the code of the package's own description that calls a server, with this one's address
    and credentials in the place of the placeholders. Gives what it ran."""
    text = metadata.metadata("runapy").get_payload()
    placeholders = {"your-client-id": pair["client_id"],
                    "your-client-secret": pair["client_secret"],
                    "https://your-org.run.ai": pair["url"]}
    ran: list[str] = []
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        # Those about the command line's configuration need that program, which is not public.
        if "bearer_token" in block or "CLIv2Config" in block:
            continue
        for placeholder, value in placeholders.items():
            block = block.replace(placeholder, value)
        exec(compile(block, "example", "exec"), names)
        ran.append(block.replace(pair["client_secret"], "..."))
    return ran


def threaded(count: int, **pair: str) -> list[int]:
    with ThreadedApiClient(configuration(**pair)) as client:
        method = method_of(client, "service_accounts.get_service_accounts")
        return [result.get().status_code for result in [method() for _ in range(count)]]


def asynchronous(calls: list, **pair: str) -> list[dict]:
    async def run() -> list[dict]:
        async with AsyncApiClient(configuration(**pair)) as client:
            outcomes = []
            for name, arguments in calls:
                given = {key: value_of(value) for key, value in arguments.items()}
                started = time.monotonic()
                try:
                    outcomes.append(plain(await method_of(client, name)(**given)))
                except ApiException as error:
                    outcomes.append(failure(error, started))
            return outcomes

    return asyncio.run(run())


def refreshed(**pair: str) -> dict:
    """Calls until the client has replaced its token by itself."""
    with ApiClient(configuration(**pair)) as client:
        first = client._token
        method = method_of(client, "service_accounts.get_service_accounts")
        statuses = []
        deadline = time.monotonic() + 30
        while client._token == first and time.monotonic() < deadline:
            statuses.append(method().status_code)
        return {"statuses": statuses, "replaced": client._token != first}


def refresh_many(count: int, threads: int, **pair: str) -> dict:
    """Clients that ask for a new token again and again; a refused connection is tried again."""
    client = ApiClient(configuration(**pair))
    failures = []

    def refresh(_: int) -> int:
        while True:
            try:
                client._make_token_request()
                return 1
            except (ConnectionError, OSError) as error:
                failures.append(repr(error))
            except Exception as error:
                if "Connection" not in repr(error):
                    raise
                failures.append(repr(error))

    with ThreadPool(threads) as pool:
        done = sum(pool.map(refresh, range(count), chunksize=1))
    return {"done": done, "connections_refused": len(failures)}


def answer(line: str) -> dict:
    function, arguments = json.loads(line)
    try:
        return {"result": globals()[function](**arguments)}
    except Exception:  # goes to the test, which fails with it
        return {"raised": traceback.format_exc()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
