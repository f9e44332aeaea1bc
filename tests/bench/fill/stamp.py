"""Stamping stored events out again under other ids. Pure.

A copy keeps what happened and when. Every id in it is another one, except those of what the company has once (teams,
members, products, targets, processes); an id that follows from another one (a contract from its deal) follows from the
copy's. What has to be unique beyond ids (domains, bank references) carries the number of the copy.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from services.contracts.domain.contract.state import contract_of
from services.receivables.domain.ledger.state import ledger_of

ONCE = {"team", "member", "process", "product", "target", "assignment-queue", "number-series", "follow-up"}
"""Aggregates that are not copied."""
BITS = 80
"""Above them the number of the copy goes into an id: its version and variant stay what they are."""
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HERE = "\x00"
"""Where a text carries the number of the copy; no text of JSON holds this."""
DOMAIN = ".example"
REFERENCE = re.compile(r'("bank_reference":"[^"]*)"')

Text = Sequence[str | UUID]
"""A text in pieces: what stays, and the ids that change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """An id that follows from another one by a name, which may carry the number of the copy."""

    source: UUID
    make: Callable[[UUID, int], UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """How ids change from copy to copy."""

    kept: frozenset[UUID]
    derived: Mapping[UUID, Derived]

    def of(self, known: UUID, copy: int) -> UUID:
        """The id that stands for one in a copy."""
        if known in self.kept:
            return known
        if derived := self.derived.get(known):
            return derived.make(self.of(derived.source, copy), copy)
        return UUID(int=known.int ^ (copy << BITS))


def derivations(
    deals: Iterable[UUID], accounts: Iterable[UUID], receipts: Iterable[tuple[UUID, str]], currency: str
) -> dict[UUID, Derived]:
    """Which ids follow from which: contracts from deals, ledgers from accounts, receipts from their ledger and bank
    reference."""
    found = {contract_of(deal): Derived(source=deal, make=lambda source, _: contract_of(source)) for deal in deals}
    for account in accounts:
        found[ledger_of(account, currency)] = Derived(
            source=account, make=lambda source, _: ledger_of(source, currency)
        )
    for ledger, reference in receipts:
        found[uuid5(ledger, f"receipt/{reference}")] = Derived(source=ledger, make=_receipt(reference))
    return found


def _receipt(reference: str) -> Callable[[UUID, int], UUID]:
    return lambda ledger, copy: uuid5(ledger, f"receipt/{numbered(marked_reference(reference), copy)}")


def pieces(text: str, kept: Collection[UUID]) -> Text:
    """A text of JSON, ready to be stamped."""
    text = REFERENCE.sub(rf'\1{HERE}"', text.replace(DOMAIN, HERE + DOMAIN))
    found: list[str | UUID] = []
    after = 0
    for match in ID.finditer(text):
        known = UUID(match[0])
        if known not in kept:
            found += [text[after : match.start()], known]
            after = match.end()
    return [*found, text[after:]]


def stamped(text: Text, names: Mapping[UUID, str], copy: int) -> str:
    """The text in a copy; `names` are its ids as text."""
    return numbered("".join([part if isinstance(part, str) else names[part] for part in text]), copy)


def marked_reference(reference: str) -> str:
    """A bank reference that carries the number of the copy."""
    return reference + HERE


def marked_domain(key: str) -> str:
    """A domain or an address that carries the number of the copy."""
    return key.replace(DOMAIN, HERE + DOMAIN)


def numbered(text: str, copy: int) -> str:
    """A marked text in a copy."""
    return text.replace(HERE, f"-{copy}")


def ids_in(texts: Iterable[Text]) -> set[UUID]:
    """The ids that change."""
    return {part for text in texts for part in text if isinstance(part, UUID)}


def in_order(places: Sequence[tuple[str, int]]) -> list[int]:
    """For each slot of a journal which of the events to put there: the topics stay where they stand, and the events of
    each come in the order of their positions. `places` are topic and position of each slot."""
    waiting: dict[str, list[int]] = {}
    for slot in sorted(range(len(places)), key=lambda slot: places[slot][1], reverse=True):
        waiting.setdefault(places[slot][0], []).append(slot)
    return [waiting[topic].pop() for topic, _ in places]
