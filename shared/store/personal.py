"""Data about people: keyed hashes instead of keys, and what is forgotten of them (DATA-4)."""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

import asyncpg

FORGET_RETRACTED = """
delete from personal using event told, event taken_back
 where personal.event_id = told.event_id and told.correlation_id = $1
   and taken_back.aggregate_id = told.aggregate_id and taken_back.type = any($2::text[])
   and (taken_back.data ->> 'request')::uuid = told.causation_id
"""


class KeyedHash:
    """Turns a claim's key into what is stored: without the deployment's secret nobody can tell what it was."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of claims needs at least 16 bytes")
        self._secret = secret

    def __call__(self, kind: str, key: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\x1f{key}".encode(), hashlib.sha256)


async def forget_retracted(pool: asyncpg.Pool, run: UUID, retractions: Sequence[str]) -> None:
    """Delete what events of a run say of people, where a later event of one of the types `retractions` takes them
    back."""
    await pool.execute(FORGET_RETRACTED, run, retractions)
