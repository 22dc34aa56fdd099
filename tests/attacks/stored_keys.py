# SPDX-License-Identifier: Apache-2.0
"""Opens the signing keys of a test server, so that a forged token can be right but for one thing.

There is no key import and no export: the harness reads the sealed rows of DIR/claviger.db and opens
them as auth/root_key.cpp and auth/key_ring.cpp do: DIR/master.key opens the root key, a key derived
from that the signing keys (HKDF-SHA-256, then AES-256-GCM with nonce | ciphertext | tag)."""
from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALGORITHMS = ("ES256", "RS256", "Ed25519")  # by number in the row
PURPOSES = ("access_token", "id_token", "security_event")


@dataclass(frozen=True)
class StoredKey:
    tenant: int
    kid: str
    algorithm: str
    purpose: str
    private: object


def derive(master: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(master)


def master_key(data: Path) -> bytes:
    return bytes.fromhex((data / "master.key").read_text().strip())


def select(data: Path, query: str) -> list[tuple]:
    database = sqlite3.connect(f"file:{data / 'claviger.db'}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def root_key(data: Path) -> bytes:
    (master_key_id, box), = select(data, "SELECT master_key_id, box FROM root_key")
    sealing = derive(master_key(data), "claviger root key 1")
    return AESGCM(sealing).decrypt(box[:12], box[12:],
                                   f"claviger root key 1|{master_key_id}".encode())


def read_keys(data: Path) -> list[StoredKey]:
    key = derive(root_key(data), "claviger signing keys 1")
    rows = select(data, "SELECT tenant, kid, algorithm, purpose, sealed_private_key "
                        "FROM signing_key WHERE length(sealed_private_key) > 0")
    return [open_row(key, *row) for row in rows]


def open_row(key: bytes, tenant: int, kid: str, algorithm: int, purpose: int,
             sealed: bytes) -> StoredKey:
    name, use = ALGORITHMS[algorithm], PURPOSES[purpose]
    bound_to = f"claviger signing key 1|{tenant}|{kid}|{name}|{use}".encode()
    plain = AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to)
    private = serialization.load_der_private_key(plain, password=None)
    return StoredKey(tenant, kid, name, use, private)
