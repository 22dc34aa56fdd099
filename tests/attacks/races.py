# SPDX-License-Identifier: Apache-2.0
"""RACE rows (the same step many times) and the TIME row."""
from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from . import verdicts, wire
from .rows import Case
from .world import World

AT_ONCE = 8
# The verdicts of the rows that run: is the sentence true of (answers, last answers by address)?
SENTENCES = {
    "429 with Retry-After appears": lambda answers, last: any(
        answer.status == 429 and answer.header("retry-after") for answer in answers),
    "the right secret is refused from another address": lambda answers, last: any(
        answer.status != 200 for answer in last),
}


def request_of(world: World, case: Case, step: dict, more: dict[str, str],
               number: int = 0) -> bytes:
    headers = [world.fill(line).encode() for line in step["h"]]
    body = world.fill(step["b"].replace("{n}", str(number)), more)
    path = case.endpoint if step["p"] == "@token-form" else step["p"]
    return wire.request_bytes(step["m"], path, world.server.host, headers, body.encode())


def run_race(world: World, case: Case, source: str, outcome):
    plan = case.row.body
    more = world.values_for(plan["step"]["b"])

    def shoot(number: int) -> wire.Answer:
        request = request_of(world, case, plan["step"], more, number)
        return wire.exchange(world.server.address, request, source).first()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(shoot, range(plan["n"])))
    if "then" not in plan:
        return judge_counts(world, case, answers, outcome)
    given = [answer for answer in answers if verdicts.issued_token(answer)]
    outcome.complaints += [f"a token for a guess: {answer.text()[:80]}" for answer in given]
    then = request_of(world, case, plan["then"], more)
    last = [wire.exchange(world.server.address, then, address).first()
            for address in (source, "127.0.0.3")]
    outcome.grants += last[0].status == 200
    outcome.complaints += [f"then: {answer.status}, expected {plan['then']['s']}"
                           for answer in last if str(answer.status) != plan["then"]["s"]]
    for sentence, wanted in verdicts.states_of(case.row):
        if SENTENCES[sentence](answers, last) != wanted:
            outcome.complaints.append(f"{'not ' if wanted else ''}true: {sentence}")
    return outcome


def judge_counts(world: World, case: Case, answers: list[wire.Answer], outcome):
    """`COUNT:200<=1`: how many answers of a status there may be."""
    for verdict in case.row.expected:
        status, most = verdict.removeprefix("COUNT:").split("<=")
        found = sum(answer.status == int(status) for answer in answers)
        if found > int(most):
            outcome.complaints.append(f"{found} answers {status}, at most {most} may be")
    for answer in answers:
        token = verdicts.issued_token(answer)
        outcome.grants += token is not None
        outcome.refusals += token is None
        world.secrets |= {token} if token else set()
    return outcome


# --- TIME -----------------------------------------------------------------------------------------


def run_timing(world: World, case: Case, source: str, outcome):
    """Prints Welch's t for a secret wrong at its beginning against one wrong at its end. It gates
    nothing: a shared machine is too noisy for that."""
    secret = world.values["sa.sec"]
    pair = [secret[:5] + flipped(secret[5]) + secret[6:], secret[:-1] + flipped(secret[-1])]
    rounds = int(case.row.body["n"]) if os.environ.get("CLAVIGER_FULL") == "1" else 25
    times: list[list[float]] = [[], []]
    requests = [wire.request_bytes(
        "POST", case.endpoint, world.server.host, [b"Content-Type: application/json"],
        f'{{"grantType":"client_credentials","clientId":"{world.values["sa.cid"]}",'
        f'"clientSecret":"{wrong}"}}'.encode()) for wrong in pair]
    for _ in range(rounds):
        for times_of, request in zip(times, requests):
            begin = time.perf_counter()
            answer = wire.exchange(world.server.address, request, source).first()
            times_of.append(time.perf_counter() - begin)
            outcome.refusals += 1
            if answer.status not in (400, 429):
                outcome.complaints.append(f"status {answer.status}")
    print(f"{case.row.id}: Welch t {welch(*map(trimmed, times)):.2f}, medians "
          f"{statistics.median(times[0]) * 1e6:.0f} and {statistics.median(times[1]) * 1e6:.0f} us")
    return outcome


def flipped(character: str) -> str:
    return "0" if character != "0" else "1"


def trimmed(values: list[float]) -> list[float]:
    return sorted(values)[: max(2, len(values) * 99 // 100)]


def welch(a: list[float], b: list[float]) -> float:
    spread = statistics.variance(a) / len(a) + statistics.variance(b) / len(b)
    return abs(statistics.fmean(a) - statistics.fmean(b)) / spread**0.5
