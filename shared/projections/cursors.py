"""Keyset cursors: where a list goes on. Opaque and signed, and bound to the question that they came from."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

SIGNATURE_BYTES = 12


class MalformedCursor(Exception):
    """It was not made here, or belongs to another question (other filters, another order)."""


class Cursors:
    """Writes and reads cursors under a key that all processes of a deployment share."""

    def __init__(self, secret: str) -> None:
        # A key of its own, so that a cursor says nothing about the hashes of claims.
        self._key = hmac.digest(secret.encode(), b"cursors", "sha256")

    def encode(self, values: Sequence[Any], bound_to: str) -> str:
        """The cursor after a row with these sort values, for the question `bound_to`."""
        content = msgspec.json.encode(list(values))
        return _text(self._signature(content, bound_to) + content)

    def decode(self, text: str, bound_to: str) -> list[Any]:
        """The values of a cursor. Raises MalformedCursor."""
        try:
            signed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            raise MalformedCursor from None
        if _text(signed) != text:
            raise MalformedCursor  # the decoder skips what it does not know, so that many texts would be one cursor
        signature, content = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(content, bound_to)):
            raise MalformedCursor
        values: list[Any] = msgspec.json.decode(content)
        return values

    def _signature(self, content: bytes, bound_to: str) -> bytes:
        message = hashlib.sha256(bound_to.encode()).digest() + content
        return hmac.digest(self._key, message, "sha256")[:SIGNATURE_BYTES]


def _text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
