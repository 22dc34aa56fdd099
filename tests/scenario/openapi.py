# SPDX-License-Identifier: Apache-2.0
"""Holds recorded answers against an OpenAPI document (3.0 or 3.1)."""
from __future__ import annotations

import functools
import ipaddress
import json
import re
import uuid
from collections.abc import Callable

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from .differences import STATUSES, read_further_operations
from .recorder import Exchange
from .server import REPOSITORY

OWN_DOCUMENT = REPOSITORY / "spec" / "openapi.json"
PEER_DOCUMENT = REPOSITORY.parent / "shared" / "contract" / "runai-auth-openapi.json"
DOCUMENT_URI = "urn:claviger:document"
NOT_THERE = "the operation is not in the document"
NOT_LISTED = "status {} is not listed"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")

# Answers of the server itself, before any operation is reached.
BEFORE_OPERATIONS = frozenset({405, 408, 413, 414, 415, 417, 429, 431, 501, 503})

formats = FormatChecker(formats=())
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@formats.checks("date-time")
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(DATE_TIME.fullmatch(value))


@formats.checks("uuid", raises=ValueError)
def is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


@formats.checks("ipv4", raises=ValueError)
def is_ipv4(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv4Address(value))


@formats.checks("int32")
def is_int32(value: object) -> bool:
    return not isinstance(value, int) or -2**31 <= value < 2**31


def without_nullable(node: object) -> object:
    """`nullable` of OpenAPI 3.0 in the words of JSON Schema."""
    if isinstance(node, list):
        return [without_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: without_nullable(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, plain]}
    return plain


class Contract:
    """One document. `exceptions` tells which findings are known and right."""

    def __init__(self, name: str, document: dict,
                 exceptions: Callable[[Exchange, str], bool] = lambda *_: False):
        self.name = name
        self.document = without_nullable(document)
        self.exceptions = exceptions
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self.registry = Registry().with_resource(DOCUMENT_URI, resource)
        self.templates = [(path.strip("/").split("/"), path) for path in self.document["paths"]]

    def operations(self) -> list[tuple[str, str, dict]]:
        """Method, path and operation, in the document's order."""
        return [(method.upper(), path, operation)
                for path, item in self.document["paths"].items()
                for method, operation in item.items() if method in METHODS]

    # --- judging ----------------------------------------------------------------------------------

    def findings(self, exchange: Exchange) -> list[str]:
        return [finding for finding in self.judge(exchange)
                if not self.exceptions(exchange, finding)]

    def judge(self, exchange: Exchange) -> list[str]:
        path = self.find_path(exchange.path)
        method = "get" if exchange.method == "HEAD" else exchange.method.lower()
        operation = self.document["paths"].get(path, {}).get(method)
        if operation is None:
            expected = (404,) if path is None else (405, 204)
            known = exchange.status in expected or exchange.status in BEFORE_OPERATIONS
            return [] if known else [NOT_THERE]
        response = self.find_response(operation, exchange.status)
        if response is None:
            return [] if exchange.status in BEFORE_OPERATIONS else [
                NOT_LISTED.format(exchange.status)]
        return self.judge_body(exchange, response)

    def find_path(self, path: str) -> str | None:
        """The template with the most literal segments that fits."""
        segments = path.strip("/").split("/")
        best = None
        for template, name in self.templates:
            if len(template) == len(segments) and all(
                    expected.startswith("{") or expected == actual
                    for expected, actual in zip(template, segments)):
                literals = sum(not part.startswith("{") for part in template)
                if best is None or literals > best[0]:
                    best = (literals, name)
        return best[1] if best else None

    def name_of(self, exchange: Exchange) -> str:
        """Method and template of its path, as differences.py writes an operation."""
        method = "GET" if exchange.method == "HEAD" else exchange.method
        return f"{method} {self.find_path(exchange.path)}"

    def find_response(self, operation: dict, status: int) -> dict | None:
        responses = operation["responses"]
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in responses:
                return self.resolve(responses[key])
        return None

    def resolve(self, node: dict) -> dict:
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def judge_body(self, exchange: Exchange, response: dict) -> list[str]:
        if exchange.method == "HEAD":
            return [] if not exchange.body else ["HEAD was answered with a body"]
        content = response.get("content", {})
        schemas = [media.get("schema") for media in content.values()]
        if not content or not any(schemas):
            empty = not exchange.body or bool(content)
            return [] if empty else ["a body where none is declared"]
        media_type = (exchange.header("Content-Type") or "").partition(";")[0].strip()
        if media_type not in content:
            return [f"content type {media_type!r} is not one of {sorted(content)}"]
        schema = content[media_type].get("schema")
        if schema is None or schema.get("format") == "binary":
            return []
        return self.judge_json(json.dumps(schema), exchange.body)

    @functools.lru_cache(maxsize=2000)  # many answers are alike: lists of roles above all
    def judge_json(self, schema: str, body: bytes) -> list[str]:
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"the body is no JSON: {error}"]
        return [f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}"
                for error in self.validator(schema).iter_errors(value)]

    @functools.lru_cache(maxsize=None)
    def validator(self, schema: str) -> Draft202012Validator:
        absolute = json.loads(schema.replace('"#/', f'"{DOCUMENT_URI}#/'))
        return Draft202012Validator(absolute, registry=self.registry, format_checker=formats)


# --- the documents --------------------------------------------------------------------------------


def own_contract() -> Contract:
    return Contract("own document", json.loads(OWN_DOCUMENT.read_text()))


def peer_contract() -> Contract | None:
    """The document of the API that we are compatible with, where there is a copy beside us."""
    if not PEER_DOCUMENT.exists():
        return None
    document = json.loads(PEER_DOCUMENT.read_text())
    mend(document)
    own, peer = own_contract(), Contract("peer document", document)
    further = read_further_operations()

    def is_known(exchange: Exchange, finding: str) -> bool:
        if finding == NOT_THERE:
            return own.name_of(exchange) in further
        return finding == NOT_LISTED.format(exchange.status) and (
            peer.name_of(exchange), exchange.status) in STATUSES

    peer.exceptions = is_known
    return peer


def mend(document: dict) -> None:
    """Corrects what is wrong in the document itself."""
    schemas = document["components"]["schemas"]
    for name, member in (("IdpCreationRequest", "data"), ("Mappers", "alias"),
                         ("OidcData", "discoverDocumentUrl")):
        schemas[name]["required"].remove(member)  # required but not declared
    for schema in schemas.values():
        without_slashes(schema)
    # The predefined roles speak of two more types.
    schemas["ResourceType"]["enum"] += ["groups", "datavolumes/sharedscopes"]
    # Project and department ids are decimal strings; here they are said to be UUIDs.
    for name in ("DepartmentProjectParent", "DepartmentProjectChild"):
        del schemas[name]["properties"]["id"]["format"]
    # Rule ids are integers; here they are said to be UUIDs.
    for name in ("IdsList", "AccessRuleDeletionBatchIdsList"):
        schemas[name]["items"].pop("format", None)
    schemas["AccessRuleDeletionBatchResponseFailureItem"]["properties"]["id"].pop("format", None)
    audit = document["paths"]["/api/v1/audit/log"]["get"]["responses"]["200"]
    audit_schema = audit["content"]["application/json"]["schema"]
    audit_schema["required"] = [name for name in audit_schema.get("required", []) if name != "logs"]


def without_slashes(node: object) -> None:
    """Patterns written as /.../ match nothing, and without the slashes they refuse plain hosts."""
    if isinstance(node, dict):
        if str(node.get("pattern", "")).startswith("/"):
            del node["pattern"]
        for value in node.values():
            without_slashes(value)
    elif isinstance(node, list):
        for value in node:
            without_slashes(value)


def load_contracts() -> list[Contract]:
    peer = peer_contract()
    return [own_contract()] + ([peer] if peer else [])


def check_exchanges(contracts: list[Contract], exchanges: list[Exchange]) -> None:
    """Fails with every operation that was answered wrongly, and one such answer of each."""
    wrong: dict[str, str] = {}
    for exchange in exchanges:
        for contract in contracts:
            if findings := contract.findings(exchange):
                operation = f"{contract.name}: {exchange.method} {exchange.path} {exchange.status}"
                wrong.setdefault(operation, "; ".join(findings[:3]) + f"\n    {exchange}")
    assert not wrong, "\n".join(f"{operation}: {what}" for operation, what in wrong.items())
