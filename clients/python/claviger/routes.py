# SPDX-License-Identifier: Apache-2.0
"""Which permission a request needs, and where: the route map of an API, in the words of the
server's own (docs/guides/gateways.md). What no route names is refused."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .errors import Ambiguous, ConfigurationError
from .rules import ANYWHERE, TENANT
from .strict import CONTROL
from .tokens import SCOPE_TYPES

PERMISSION, AUTHENTICATED, ANYONE = "permission", "authenticated", "anyone"
LONGEST_TARGET = 4096
MOST_PARAMETERS = 64
PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,=:@-]+")
ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Nobody can decode twice what holds no escaped percent sign.
NEVER_ESCAPED = UNRESERVED | frozenset(b"/\\%")
PARAMETER = re.compile(r"\{([^{}]+)\}")

Parameters = list[tuple[str, str]]


@dataclass(frozen=True)
class ScopeFrom:
    """The node of this type whose id stands in the path, the query or a header; or always `id`."""

    type: str
    path: str | None = None
    query: str | None = None
    header: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        given = [one for one in (self.path, self.query, self.header, self.id) if one]
        if self.type not in SCOPE_TYPES or len(given) != 1:
            raise ConfigurationError(
                f"{self}: a scope has one of the types {', '.join(SCOPE_TYPES)}, and exactly one "
                "of path, query, header and id")


@dataclass(frozen=True)
class Route:
    """`methods` is one or a list of them; `path` is a template, "/projects/{projectId}/jobs".
    `access` is "permission", "authenticated" for any valid token, or "anyone"."""

    methods: str | Iterable[str]
    path: str
    permission: str | None = None
    scope: ScopeFrom | str | None = None  # or TENANT or ANYWHERE
    access: str = PERMISSION

    def __post_init__(self) -> None:
        methods = (self.methods,) if isinstance(self.methods, str) else tuple(self.methods)
        object.__setattr__(self, "methods", methods)
        if not methods or not all(re.fullmatch(r"[A-Z]+", method) for method in methods):
            raise ConfigurationError(f"{self.path}: methods are written GET, POST, ...")
        if self.access not in (PERMISSION, AUTHENTICATED, ANYONE):
            raise ConfigurationError(f"{self.path}: access is permission, authenticated or anyone")
        needs = self.access == PERMISSION
        if needs != (self.permission is not None) or needs != (self.scope is not None):
            raise ConfigurationError(f"{self.path}: a permission and its scope go together, and "
                                     "not with access")
        if needs and re.fullmatch(r"[^:\s]+:[a-z]+", str(self.permission)) is None:
            raise ConfigurationError(f"{self.path}: {self.permission} is no permission: write "
                                     "RESOURCE-TYPE:ACTION")
        if needs and not isinstance(self.scope, ScopeFrom) and self.scope not in (TENANT,
                                                                                 ANYWHERE):
            raise ConfigurationError(f"{self.path}: the scope is a ScopeFrom, TENANT or ANYWHERE")
        self._check_template()

    def _check_template(self) -> None:
        names = PARAMETER.findall(self.path)
        plain = PARAMETER.sub("x", self.path)
        if not is_canonical(plain) or any(
                PARAMETER.search(part) and not PARAMETER.fullmatch(part)
                for part in self.path.split("/")):
            raise ConfigurationError(f"the path {self.path} is not canonical: no request could "
                                     "have it")
        if isinstance(self.scope, ScopeFrom) and self.scope.path is not None and (
                names.count(self.scope.path) != 1):
            raise ConfigurationError(f"the path {self.path} must have {{{self.scope.path}}} once")


@dataclass(frozen=True)
class Match:
    route: Route
    parameters: dict[str, str]


class RouteMap:
    def __init__(self, routes: Iterable[Route]):
        self._routes = [(route, split(route.path)) for route in routes]
        seen: set[tuple[str, tuple[str | None, ...]]] = set()
        for route, template in self._routes:
            shape = tuple(None if is_parameter(part) else part for part in template)
            for method in route.methods:
                if (method, shape) in seen:
                    raise ConfigurationError(f"{method} {route.path} is mapped twice")
                seen.add((method, shape))

    def match(self, method: str, path: str) -> Match | None:
        """Of the templates that fit, the one that says more earlier in the path decides alone,
        for all methods."""
        parts = split(path)
        fitting = [(route, template) for route, template in self._routes if fits(template, parts)]
        if not fitting:
            return None
        best = min(openness(template) for _, template in fitting)
        for route, template in fitting:
            if openness(template) == best and method in route.methods:
                return Match(route, {name[1:-1]: decode(part, plus_is_space=False)
                                     for name, part in zip(template, parts) if is_parameter(name)})
        return None


def split(path: str) -> list[str]:
    return path[1:].split("/")


def is_parameter(part: str) -> bool:
    return part.startswith("{")


def fits(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        part != "" if is_parameter(expected) else part == expected
        for expected, part in zip(template, parts))


def openness(template: list[str]) -> tuple[bool, ...]:
    return tuple(map(is_parameter, template))


# --- reading a request ----------------------------------------------------------------------------


def is_canonical(path: str) -> bool:
    """Whether this is the only way to write the path: no empty, "." or ".." segments, no path
    parameters, no needless escapes, and no escaped slashes, backslashes or percent signs."""
    if path == "/":
        return True
    return (path.startswith("/") and len(path) <= LONGEST_TARGET
            and all(map(is_canonical_segment, split(path))))


def is_canonical_segment(segment: str) -> bool:
    if PLAIN_SEGMENT.fullmatch(segment):
        return segment not in (".", "..")
    if not segment.isascii() or not PLAIN_SEGMENT.fullmatch(segment.replace("%", "")):
        return False
    codes = ESCAPE.findall(segment.encode())
    if len(codes) != segment.count("%") or any(int(code, 16) in NEVER_ESCAPED for code in codes):
        return False
    return is_printable(unquote_to_bytes(segment))


def is_printable(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return CONTROL.search(text) is None and "\x7f" not in text


def decode(text: str, plus_is_space: bool) -> str:
    plain = text.replace("+", " ") if plus_is_space else text
    if len(ESCAPE.findall(text.encode())) != text.count("%"):
        raise Ambiguous("a percent escape is malformed")
    data = unquote_to_bytes(plain)
    if not is_printable(data):
        raise Ambiguous("a parameter is not UTF-8 text without control characters")
    return data.decode()


def read_query(query: str) -> Parameters:
    pairs = [pair for pair in query.split("&") if pair]
    if len(pairs) > MOST_PARAMETERS:
        raise Ambiguous(f"the query has more than {MOST_PARAMETERS} parameters")
    parameters = []
    for pair in pairs:
        name, _, value = pair.partition("=")
        parameters.append((decode(name, True), decode(value, True)))
    return parameters


def find_scope(source: ScopeFrom, match: Match, query: Parameters,
               headers_named: Callable[[str], list[str]]) -> tuple[str, str]:
    """What stands where the route looks for its scope, once and not empty."""
    if source.path is not None:
        values = [match.parameters[source.path]]
    elif source.query is not None:
        values = [value for name, value in query if name == source.query]
    elif source.header is not None:
        values = headers_named(source.header)
    else:
        values = [source.id or ""]
    if len(values) != 1 or not values[0]:
        raise Ambiguous(f"the request must name exactly one {source.type} in "
                           f"{source.path or source.query or source.header}")
    return source.type, values[0]
