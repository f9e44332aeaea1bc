"""Consistency tokens: what a command's answer says, so that a later question sees its effect (API-2).

A command may write to several aggregates, whose events go different ways to those who read topics. So a token is a
vector of positions: of each partition that was written to, the last one.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from shared.projections.errors import InvalidQuery, invalid

HEADER = "Consistency-Token"
MAX_LENGTH = 6000
"""Of the header. All partitions of a dozen topics fit, and it passes the limits that proxies set to headers."""
LAST_POSITION = 2**63 - 1
_TOPIC = r"[a-z][a-z0-9.-]{0,119}(?: \d{1,5} \d{1,19})+"
_PLAIN = re.compile(rf"([a-z-]{{1,40}})((?: {_TOPIC})+)", re.ASCII)
_IN_TOPIC = re.compile(r" ([a-z][a-z0-9.-]*)((?: \d+ \d+)+)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class PartitionPosition:
    """How far a partition of a topic holds something: the place of its last event in the log of the service."""

    topic: str
    partition: int
    position: int


@dataclass(frozen=True, slots=True)
class ConsistencyToken:
    """What was written to the log of a service, and where it is found by those who read its topics; each partition is
    named once, in their order."""

    service: str
    partitions: tuple[PartitionPosition, ...]

    @property
    def position(self) -> int:
        """The last position in the log of the service."""
        return max(each.position for each in self.partitions)

    def encode(self) -> str:
        """The token as it stands in the header."""
        topics = groupby(self.partitions, key=lambda each: each.topic)
        plain = "".join(
            f" {topic}" + "".join(f" {each.partition} {each.position}" for each in those) for topic, those in topics
        )
        return base64.urlsafe_b64encode(f"{self.service}{plain}".encode()).decode().rstrip("=")


def token_for(service: str, written: Iterable[PartitionPosition]) -> ConsistencyToken:
    """The token of everything that was written, in whatever order it is told."""
    last: dict[tuple[str, int], int] = {}
    for each in written:
        last[each.topic, each.partition] = max(last.get((each.topic, each.partition), 0), each.position)
    return ConsistencyToken(service, tuple(PartitionPosition(*where, last[where]) for where in sorted(last)))


def decode(text: str, partitions: int) -> ConsistencyToken:
    """Read a header. `InvalidQuery` when it is no token for topics of so many partitions."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        plain = ""
    if len(text) > MAX_LENGTH or (found := _PLAIN.fullmatch(plain)) is None:
        raise _malformed()
    written = tuple(_written(found[2]))
    if any(each.partition >= partitions or each.position > LAST_POSITION for each in written):
        raise _malformed()
    token = token_for(found[1], written)
    if token.encode() != text:
        # Another spelling of it: leading zeros, another order, a partition twice, bits that the decoder ignores.
        raise _malformed()
    return token


def _written(plain: str) -> Iterator[PartitionPosition]:
    for topic in _IN_TOPIC.finditer(plain):
        numbers = iter(map(int, topic[2].split()))
        yield from (PartitionPosition(topic[1], *pair) for pair in zip(numbers, numbers, strict=True))


def _malformed() -> InvalidQuery:
    return InvalidQuery([invalid(HEADER, "malformed-token", "This is no consistency token of ours.")])
