# SPDX-License-Identifier: Apache-2.0
"""Says which features a server has, from its metadata and its routes: one function a feature."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@dataclass(frozen=True)
class Seen:
    """What a detector may look at."""

    metadata: dict  # /.well-known/oauth-authorization-server
    status: Callable[[str, str], int]  # of a method and a path, without a token
    help: Callable[[str], str]  # what `claviger COMMAND --help` says; "" is the program itself
    repository: Path = REPOSITORY

    def grants(self, grant: str) -> bool:
        return grant in self.metadata.get("grant_types_supported", [])

    def authenticates(self, method: str) -> bool:
        return method in self.metadata.get("token_endpoint_auth_methods_supported", [])

    def serves(self, method: str, path: str) -> bool:
        return self.status(method, path) not in (404, 405)

    def ships(self, word: str) -> bool:
        """Whether a file that goes with a release is called so."""
        folder = self.repository / "deploy"
        return folder.exists() and any(word in file.name for file in folder.iterdir())


DETECTORS: dict[str, Callable[[Seen], bool]] = {
    "authorization-code": lambda seen: seen.grants("authorization_code"),
    "token-exchange": lambda seen: seen.grants(TOKEN_EXCHANGE),
    "client-assertion": lambda seen: seen.authenticates("private_key_jwt"),
    "mtls": lambda seen: seen.authenticates("tls_client_auth")
    or "tls_client_certificate_bound_access_tokens" in seen.metadata,
    "dpop": lambda seen: "dpop_signing_alg_values_supported" in seen.metadata,
    "console": lambda seen: seen.serves("GET", "/console"),
    "single-sign-on": lambda seen: seen.serves("GET", "/auth/realms/runai/broker/x/endpoint"),
    "several-nodes": lambda seen: "postgres" in seen.help("serve").lower(),
    "restore-review": lambda seen: "review" in seen.help("restore"),
    "org-unit-moves": lambda seen: seen.serves("POST", "/api/v1/org-unit/projects/x/move"),
    "bill-of-materials": lambda seen: seen.ships("sbom"),
}
