# SPDX-License-Identifier: Apache-2.0
"""Runs inside Schemathesis, before each request it has made up: puts in objects that exist, and
keeps the caller from ending itself. What it knows comes in CLAVIGER_CONTRACT."""
import json
import os
import zlib

import schemathesis

GIVEN = json.loads(os.environ["CLAVIGER_CONTRACT"])
KNOWN: dict = GIVEN["known"]  # a value for a parameter or a member of a body
KEPT: list = GIVEN["kept"]  # ids that nobody may end
NOBODY = "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10"


def is_chosen(value: object) -> bool:
    """True for half of all values, the same ones in every run."""
    return zlib.crc32(repr(value).encode()) % 2 == 0


def improve(fields: dict) -> None:
    for name, value in fields.items():
        if name in KNOWN and is_chosen(value):
            fields[name] = KNOWN[name]


def ends_the_caller(body: dict) -> bool:
    text = json.dumps(body, default=repr)
    return body.get("type") == "tenant" or any(f'"{kept}"' in text for kept in KEPT)


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.path_parameters, dict):
        improve(case.path_parameters)
        for name, value in case.path_parameters.items():
            if str(value) in KEPT:
                case.path_parameters[name] = NOBODY
    if isinstance(case.body, dict):
        improve(case.body)
        if ends_the_caller(case.body):
            case.body = {}
    if isinstance(case.query, dict) and str(case.query.get("wait", "")).isdecimal():
        case.query["wait"] = 0  # there will be no news
