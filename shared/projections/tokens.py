"""Consistency tokens: what a command's answer says, so that a later question sees its effect (API-2)."""

import base64
import binascii
import re
from dataclasses import dataclass

from shared.projections.errors import InvalidQuery, invalid

HEADER = "Consistency-Token"
MAX_LENGTH = 300
LAST_POSITION = 2**63 - 1
_PLAIN = re.compile(r"([a-z-]{1,40}) ([a-z0-9.-]{1,120}) (\d{1,5}) (\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyToken:
    """A place in the log of a service, and where it is found by those who read the topic."""

    service: str
    topic: str
    partition: int
    position: int

    def encode(self) -> str:
        """The token as it stands in the header."""
        plain = f"{self.service} {self.topic} {self.partition} {self.position}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(text: str, partitions: int) -> ConsistencyToken:
    """Read a header. `InvalidQuery` when it is no token for topics of so many partitions."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        plain = ""
    found = _PLAIN.fullmatch(plain)
    if found is None or len(text) > MAX_LENGTH or int(found[3]) >= partitions or int(found[4]) > LAST_POSITION:
        raise _malformed()
    token = ConsistencyToken(service=found[1], topic=found[2], partition=int(found[3]), position=int(found[4]))
    if token.encode() != text:
        raise _malformed()  # another spelling of it, with leading zeros or with bits that the decoder ignores
    return token


def _malformed() -> InvalidQuery:
    return InvalidQuery([invalid(HEADER, "malformed-token", "This is no consistency token of ours.")])
