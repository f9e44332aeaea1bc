"""Claims on keys that are unique, stored as keyed hashes: nobody can read from them what the keys were (DATA-4)."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

Holders = Callable[[str, bytes], Awaitable[frozenset[UUID]]]
"""`async (kind, key hash) -> the aggregates that hold the claim`."""

HELD = "select holder from claim where kind = $1 and key_hash = $2"


class ClaimHasher:
    """Turns a claim's key into what is stored: without the deployment's secret nobody can tell what it was."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of claims needs at least 16 bytes")
        self._secret = secret

    def __call__(self, kind: str, key: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\x1f{key}".encode(), hashlib.sha256)


async def claim_holders(pool: asyncpg.Pool, kind: str, key_hash: bytes) -> frozenset[UUID]:
    """The aggregates that hold a claim, as is written."""
    return frozenset(row["holder"] for row in await pool.fetch(HELD, kind, key_hash))
