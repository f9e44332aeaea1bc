"""Which process a new deal follows: ordered rules the first that applies decides (production rules; DEAL-1).

A rule is data of the policy `opening-rules`, and so are the segments of the market that it may ask for.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, TypeVar, get_args
from uuid import UUID

from services.deals.domain.process.state import Process
from shared.domain.criteria import (
    SEVERAL,
    Facts,
    blank,
    comparisons,
    facts_of,
    faults,
    meets,
    misspelt,
    predicate_faults,
    repeated,
)
from shared.domain.rejection import Reason, Rejected
from shared.events.criteria import Predicate
from shared.events.deals.policy import OpeningRule, OpeningRules, Segment
from shared.events.definition import value

Customer = Literal["new", "returning"]
"""Whether the account of a deal had won one before."""

DEFAULT = "default"
"""The rule of deals to which no other applies."""
NAMED = "named"
"""The rule of deals whose process somebody named."""
Conditional = TypeVar("Conditional", Segment, OpeningRule)

RESERVED = (DEFAULT, NAMED, "migrated")
"""What deals record that no rule chose for."""

SEGMENT_FACTS: Mapping[str, str] = {"industry": "text", "country": "text", "size": "number"}
"""What is known of a customer, and its kind."""
FACTS: Mapping[str, str] = {
    **SEGMENT_FACTS,
    "amount": "number",
    "currency": "text",
    "source": "text",
    "team": "text",
    "teams": SEVERAL,
    "account": "text",
    "customer": "text",
    "families": SEVERAL,
    "from_lead": "yes-no",
    "segment": "text",
}
"""What is known of a deal as it begins, and its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFacts:
    """What is known of a deal as it begins, by the names of `FACTS`, but for its segment, which follows from it."""

    known: Facts
    incomparable: frozenset[str] = field(default_factory=frozenset)
    """Facts that are there and cannot be compared: an amount in a currency without a rate."""

    @property
    def customer(self) -> Customer:
        """Whether the account had won a deal before."""
        return "returning" if self.known.get("customer") == "returning" else "new"


@value
class Choice:
    """What the rules decided."""

    rule: str
    process_id: UUID
    segment: str | None
    unknown: tuple[str, ...]
    """What those before it asked for and nobody knew."""


@value
class ChosenProcess:
    """The process that a new deal follows, and what chose it."""

    process: Process | None
    """None where no version of the process reaches the deal."""
    rule: str
    segment: str | None = None
    customer: Customer | None = None
    rules_version: int | None = None
    """Of the policy; None where it was not asked."""
    unknown: tuple[str, ...] = ()

    @property
    def followed(self) -> Process:
        """The version that the deal follows. Raises Rejected where there is none."""
        if self.process is None:
            message = "No version of the process reaches this deal: it is on trial elsewhere, or not published yet."
            raise Rejected("no-version", message, field="process_id")
        return self.process


def choose(document: OpeningRules, facts: OpeningFacts) -> Choice:
    """What the first rule that applies says; where none does, the default."""
    segment = _first(document.segments, facts)
    of_segment = OpeningFacts(
        known={**facts.known, "segment": segment.key if segment else None}, incomparable=facts.incomparable
    )
    rule = _first(document.rules, of_segment)
    passed: list[Segment | OpeningRule] = [*_before(document.segments, segment), *_before(document.rules, rule)]
    asked = dict.fromkeys(name for each in passed for name in facts_of(each.when) if name != "segment")
    return Choice(
        rule=rule.name if rule else DEFAULT,
        process_id=rule.process_id if rule else document.otherwise,
        segment=segment.key if segment else None,
        unknown=tuple(name for name in asked if facts.known.get(name) is None),
    )


def asks_for(document: OpeningRules, fact: str) -> bool:
    """Whether any segment or rule looks at a fact."""
    conditionals: list[Segment | OpeningRule] = [*document.segments, *document.rules]
    return any(fact in facts_of(each.when) for each in conditionals)


def processes_of(document: OpeningRules) -> dict[str, UUID]:
    """The processes that rules lead to, by their position in the document."""
    named = {f"rules.{index}.process_id": rule.process_id for index, rule in enumerate(document.rules)}
    return {"otherwise": document.otherwise, **named}


def rule_faults(document: OpeningRules) -> Iterator[Reason]:
    """What is wrong with rules, each with its position."""
    keys = [(f"segments.{index}.key", each.key) for index, each in enumerate(document.segments)]
    yield from misspelt(keys)
    yield from repeated(keys)
    names = [(f"rules.{index}.name", each.name) for index, each in enumerate(document.rules)]
    yield from blank([*((f"segments.{index}.name", each.name) for index, each in enumerate(document.segments)), *names])
    yield from _name_faults(names)
    yield from _condition_faults("segments", document.segments, SEGMENT_FACTS, {})
    closed: Mapping[str, Collection[str]] = {
        "customer": get_args(Customer),
        "segment": [each.key for each in document.segments],
    }
    yield from _condition_faults("rules", document.rules, FACTS, closed)


def _first(conditionals: Sequence[Conditional], facts: OpeningFacts) -> Conditional | None:
    return next((each for each in conditionals if _applies(each.when, facts)), None)


def _before(conditionals: Sequence[Conditional], found: Conditional | None) -> Iterator[Conditional]:
    return takewhile(lambda each: each is not found, conditionals)


def _applies(when: Predicate, facts: OpeningFacts) -> bool:
    """Whether a condition is met. One that looks at what cannot be compared is not, whatever it says of it."""
    return facts.incomparable.isdisjoint(facts_of(when)) and meets(when, facts.known)


def _name_faults(names: Sequence[tuple[str, str]]) -> Iterator[Reason]:
    seen = set[str]()
    for where, name in names:
        if name in RESERVED:
            message = f"{name!r} is what deals record that no rule chose for."
            yield Reason(code="reserved-name", message=message, field=where)
        if name in seen:
            yield Reason(code="repeated", message=f"Another rule is called {name!r}.", field=where)
        seen.add(name)


def _condition_faults(
    part: str,
    conditionals: Sequence[Segment | OpeningRule],
    known: Mapping[str, str],
    closed: Mapping[str, Collection[str]],
) -> Iterator[Reason]:
    for index, each in enumerate(conditionals):
        where = f"{part}.{index}.when"
        misshapen = list(faults(each.when, where))
        yield from misshapen or predicate_faults(each.when, known, where)
        if not misshapen:
            yield from _value_faults(each.when, closed, where)
        if any(each.when == before.when for before in conditionals[:index]):
            message = "One before it has this condition: nothing ever gets here."
            yield Reason(code="unreachable", message=message, field=where)


def _value_faults(when: Predicate, closed: Mapping[str, Collection[str]], where: str) -> Iterator[Reason]:
    """A reason for every value that a fact of a closed set of words never has."""
    for place, comparison in comparisons(when, where):
        words = closed.get(str(comparison.fact))
        if words is None or comparison.operator not in ("is", "is-not", "one-of"):
            continue
        said = str(comparison.value)
        asked = [part.strip() for part in said.split(",")] if comparison.operator == "one-of" else [said]
        if unknown := [part for part in asked if part not in words]:
            among = f"it is one of {', '.join(words)}" if words else "there is none in this document yet"
            message = f"{comparison.fact} is never {', '.join(unknown)}; {among}."
            yield Reason(code="unknown-value", message=message, field=f"{place}.value")
