"""Data about people: keyed hashes instead of keys (DATA-4)."""

import hashlib
import hmac


class KeyedHash:
    """Turns a claim's key into what is stored: without the deployment's secret nobody can tell what it was."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of claims needs at least 16 bytes")
        self._secret = secret

    def __call__(self, kind: str, key: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\x1f{key}".encode(), hashlib.sha256)
