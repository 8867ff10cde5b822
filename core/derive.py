"""Keys made from the root key, one per purpose, so that no two purposes share one."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def subkey(root: bytes, purpose: str) -> bytes:
    """32 bytes that say nothing about `root` or about any other purpose's key (RFC 5869)."""
    return HKDF(SHA256(), 32, None, f"weft {purpose}".encode()).derive(root)


def signing_key(root: bytes, purpose: str) -> Ed25519PrivateKey:
    """The same Ed25519 key (RFC 8032) in every process that holds the root key."""
    return Ed25519PrivateKey.from_private_bytes(subkey(root, purpose))


def ingest_secret(root: bytes, tenant_id: str, version: int) -> str:
    """What a tenant signs its Kafka messages with, as Standard Webhooks writes secrets. It is kept
    nowhere: whoever holds the root key can make it again."""
    key = subkey(root, f"ingest {tenant_id} {version}")
    return "whsec_" + base64.b64encode(key).decode()
