"""Data about people: keyed hashes instead of keys, and the proof that somebody was erased (DATA-4)."""

import hashlib
import hmac
from uuid import UUID

import asyncpg


class KeyedHash:
    """Turns a claim's key into what is stored: without the deployment's secret nobody can tell what it was."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of claims needs at least 16 bytes")
        self._secret = secret

    def __call__(self, kind: str, key: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\x1f{key}".encode(), hashlib.sha256)


async def personal_rows(pool: asyncpg.Pool, person_id: UUID) -> int:
    """How many events still have data about a person; 0 once erased."""
    return int(await pool.fetchval("select count(*) from personal where person_id = $1", person_id))
