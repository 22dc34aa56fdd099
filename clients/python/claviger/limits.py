# SPDX-License-Identifier: Apache-2.0
"""Bounds on a caller besides the rules: those of its key, and what its token was narrowed to. They
only take away (docs/guides/limits-and-narrowed-tokens.md)."""
from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MEMBERS = frozenset({"expiresAt", "addresses", "addressMode", "ceiling", "honey"})
CEILING_MEMBERS = frozenset({"roleIds", "permissions", "scopes"})
MODES = ("enforced", "log-only")

log = logging.getLogger("claviger")


@dataclass(frozen=True)
class Limit:
    """None is no bound; what is empty permits nothing."""

    permissions: frozenset[str] | None = None
    scopes: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class KeyLimits:
    """Until when and from where a key is good, and its ceiling."""

    ceiling: Limit | None = None
    expires_at: float | None = None
    networks: tuple[Any, ...] | None = None  # None: from anywhere
    only_logged: bool = False  # what comes from elsewhere
    honey: bool = False  # it is good for nothing

    def holds_address(self, source_ip: str | None) -> bool:
        if self.networks is None:
            return True
        address = read_address(source_ip)
        return address is not None and any(address in network for network in self.networks
                                           if network.version == address.version)


def read_limits(client_id: str, row: Any, roles: Mapping[int, frozenset[str]]) -> KeyLimits:
    """What cannot be read has expired long ago: nobody gets more than was meant."""
    try:
        return _read(row, roles)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.warning("claviger: the limits of the key %s cannot be read, and it is refused: %r",
                    client_id, error)
        return KeyLimits(expires_at=0)


def _read(row: dict[str, Any], roles: Mapping[int, frozenset[str]]) -> KeyLimits:
    mode = row.get("addressMode", "enforced")
    honey = row.get("honey", False)
    if not MEMBERS.issuperset(row) or mode not in MODES or not isinstance(honey, bool):
        raise ValueError("a member or a value that this version does not know")
    expires_at = (datetime.fromisoformat(row["expiresAt"]).timestamp() if "expiresAt" in row
                  else None)
    networks = tuple(map(read_network, row["addresses"])) if "addresses" in row else None
    ceiling = _read_ceiling(row["ceiling"], roles) if "ceiling" in row else None
    return KeyLimits(ceiling, expires_at, networks, mode == "log-only", honey)


def _read_ceiling(row: dict[str, Any], roles: Mapping[int, frozenset[str]]) -> Limit:
    if not isinstance(row, dict) or not CEILING_MEMBERS.issuperset(row):
        raise ValueError("a member that this version does not know")
    permissions = None
    if "permissions" in row or "roleIds" in row:
        permissions = frozenset(row.get("permissions", ())).union(
            *(roles.get(role, frozenset()) for role in row.get("roleIds", ())))
    scopes = None
    if "scopes" in row:
        scopes = tuple((scope["scopeType"], scope["scopeId"]) for scope in row["scopes"])
    return Limit(permissions, scopes)


def read_address(text: str | None):
    """An IPv4 address inside IPv6 is the IPv4 address; a zone is left out."""
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def read_network(text: str):
    if not isinstance(text, str):
        raise TypeError("a network is no text")
    network = ipaddress.ip_network(text)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network
