"""A ranking: the pieces of content that suit a deal, the best first (PROC-8). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MOST = 20
"""No more are answered: of more, nobody chooses."""


class Offered(Protocol):
    """What a piece of content says that it is for; without a word on something, it is for all of that."""

    @property
    def key(self) -> str: ...
    @property
    def buyer_stages(self) -> Sequence[str]: ...
    @property
    def industries(self) -> Sequence[str]: ...
    @property
    def language(self) -> str | None: ...


Item = TypeVar("Item", bound=Offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What is known of a deal for which content is looked for; of what is unknown, anything suits."""

    buyer_stage: str | None
    industry: str | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting(Generic[Item]):
    """Content that suits, and how well."""

    item: Item
    fit: int
    """How many of stage, industry and language it is made for, from 0 to 3."""
    uses: int
    """How often it was used on the deal."""


def fitting(items: Iterable[Item], occasion: Occasion, uses: Mapping[str, int]) -> list[Fitting[Item]]:
    """What suits, at most 20: the best fit first, of equal ones what was used least on the deal, then by key. `uses`
    goes by key."""
    found = [Fitting(item=each, fit=fit, uses=uses.get(each.key, 0)) for each in items for fit in _fit(each, occasion)]
    return sorted(found, key=lambda each: (-each.fit, each.uses, each.item.key))[:MOST]


def _fit(item: Offered, occasion: Occasion) -> list[int]:
    """How well content suits; nothing where it does not."""
    told = (
        _is_for(item.buyer_stages, occasion.buyer_stage),
        _is_for(item.industries, occasion.industry),
        None if item.language is None else _is_read(item.language, occasion.language),
    )
    return [] if False in told else [told.count(True)]


def _is_for(named: Sequence[str], known: str | None) -> bool | None:
    """Whether it is for what is known; None where one of both is not said."""
    return known in named if named and known is not None else None


def _is_read(language: str, asked: str) -> bool:
    """Whether who asks for a language reads another: that one, or what it is a kind of (de of de-CH; RFC 4647, 3.4)."""
    return f"{asked}-".casefold().startswith(f"{language}-".casefold())
