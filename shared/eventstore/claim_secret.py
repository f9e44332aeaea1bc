"""Trust on first use: a database remembers under which secret its claims are hashed (DATA-4).

Under another secret every key would look free: a bank reference would be booked a second time, an e-mail address held
twice. Nothing else in the database tells the secrets apart, so it keeps a fingerprint of the first.
"""

import hashlib
import hmac
from typing import Any

CONSTANT = b"throughline: whether two secrets of claims are the same"
"""Holds no separator of `ClaimHasher`: no claim has this hash."""


class OtherClaimSecret(Exception):
    """The database's claims are hashed under another secret than the one of this process."""

    def __init__(self) -> None:
        super().__init__(
            "CLAIM_SECRET is not the one under which the claims of this database are hashed: every key would look free."
            " Set the secret that its data was written with."
        )


def fingerprint(secret: bytes) -> bytes:
    """What a database keeps: equal for equal secrets, and no help in finding one of 32 random characters."""
    return hmac.digest(secret, CONSTANT, hashlib.sha256)


async def hold_to(pool: Any, secret: bytes) -> None:
    """Raise `OtherClaimSecret` unless the database's claims are hashed under this secret. The first one is trusted,
    also by a database whose claims are older than this table."""
    own = fingerprint(secret)
    kept = await kept_fingerprint(pool)
    if kept is None:
        # Processes that start at once wait here for whoever was first, and then read what that one has kept.
        await pool.execute("insert into claim_secret (fingerprint) values ($1) on conflict do nothing", own)
        kept = await kept_fingerprint(pool)
    if kept is None or not hmac.compare_digest(kept, own):
        raise OtherClaimSecret


async def kept_fingerprint(pool: Any) -> bytes | None:
    """The fingerprint in a migrated database; none before the first process has started on it."""
    found: bytes | None = await pool.fetchval("select fingerprint from claim_secret")
    return found
