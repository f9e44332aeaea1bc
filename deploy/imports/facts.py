"""The import format: JSON Lines of dated facts with ids of the system that they come from (DATA-5).

    {"fact": "member", "id": "anna", "on": "2025-06-02", "name": "Anna", "subject": "anna", "role": "rep", "team": "n"}
    {"fact": "deal", "id": "D-17", "on": "2025-07-01", "name": "Press line", "owner": "anna", "amount": {…}}
    {"fact": "deal-won", "id": "D-17", "on": "2025-09-30"}

`id` is the outside id of what the fact is about; `on` is the company's day on which it happened, `at` the instant where
it is known; `by` the outside id of the member who did it, where that is known. Other fields are those of the command
that takes the fact in; a field that names something else carries its outside id (`owner`, `team`, `account` …), and
that must be there already or come with the same import.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from deploy.imports.kinds import KINDS, OUTSIDE_ID, THINGS, Layout, id_of, layout_of
from shared.domain.fields import FIRST_DAY, LAST_DAY
from shared.domain.imports import WHICH_FIELDS, FactKind, Ids
from shared.http.problems import words_of

OUTSIDE = UUID("5b0c9c0e-6f0c-5c52-9d5d-3c1a6b6f1d57")
"""The namespace of ids that are derived from outside ids."""

NAMES_REMEMBERED = 100_000

BY, MEMBER = "by", "member"
"""The field that says who did it, and what it names."""
COMMON = {"fact", "id", "fact_id", "on", "at", BY}
"""The fields that every line may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactPlace:
    """Where a fact stands."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What stands where a fact should, and why it is none."""

    reason: str
    content: Mapping[str, Any]


Line = tuple[FactPlace, Mapping[str, Any] | Unreadable]
"""A fact and its place."""


def ids_of(source: str) -> Ids:
    """The ids of one source: the same outside id is the same thing, however often and from wherever it is read."""

    @lru_cache(maxsize=NAMES_REMEMBERED)
    def derive(kind: str, outside: str) -> UUID:
        return uuid5(OUTSIDE, f"{source}/{kind}/{outside}")

    return derive


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something that a fact names by its outside id: in which field, and of which kind it is."""

    field: str
    about: str
    outside: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A fact that was understood: the command that takes it in, where, and what else has to be there.

    `thing` is what it is about. Two lines about one thing are the same fact when they have one `name`; it is published
    with the events, and holds no outside id but that of the fact itself.
    """

    kind: FactKind
    aggregate_id: UUID
    command: Any
    thing: UUID
    name: str
    names: Sequence[Named] = ()
    by: UUID | None = None
    """The member who did it."""

    @property
    def brings(self) -> UUID | None:
        """What comes into being by it that others may name."""
        return self.aggregate_id if self.kind.brings else None


def with_article(thing: str) -> str:
    """A thing with its article: "an account"."""
    return f"a{'n' * (thing[0] in 'aeiou')} {thing}"


class NotAFact(ValueError):
    """A line that is no fact; the message says why, one reason after the other."""


def read_fact(line: Mapping[str, Any], ids: Ids) -> Taken:
    """Understand one line. Raises NotAFact: with the first outside id that is none, else with every reason."""
    fields = dict(line)
    name, fact_id = fields.pop("fact", None), fields.pop("fact_id", None)
    kind = KINDS.get(str(name))
    if kind is None:
        raise NotAFact(f"fact: {name!r} is no kind of fact; there are {', '.join(KINDS)}")
    outside = _outside("id", fields.pop("id", None)) if kind.has_id else ""
    _check_fact_id(kind, fact_id)
    layout = layout_of(kind)
    if said := layout.derived & fields.keys():
        raise NotAFact("; ".join(f"{field}: there is no such field" for field in sorted(said)))
    names = list(_named(kind, layout, outside, fields, ids))
    command = _command(kind, layout, fields | _derived(kind, layout, outside, names, ids))
    named = id_of(ids, kind.about, outside)
    aggregate_id = kind.stream(command) if kind.stream else _placed(layout, names) or named
    thing = named if kind.has_id else aggregate_id
    distinguished = _distinguished(line, kind, layout, fact_id, command)
    return Taken(
        kind=kind,
        aggregate_id=aggregate_id,
        command=command,
        thing=thing,
        name="/".join(
            (
                kind.series if fact_id and kind.series else kind.name,
                *((str(thing),) if kind.is_part else ()),
                *distinguished,
            )
        ),
        names=names,
        by=next((each.id for each in names if each.field == BY), None),
    )


def _check_fact_id(kind: FactKind, fact_id: Any) -> None:
    if fact_id is None or (kind.again is not None and isinstance(fact_id, str) and fact_id):
        return
    once = f"there is only one {kind.name} of {with_article(kind.about)}"
    raise NotAFact(f"fact_id: {once if kind.again is None else 'is a text that is not empty'}")


def _named(kind: FactKind, layout: Layout, outside: str, fields: dict[str, Any], ids: Ids) -> Iterator[Named]:
    """What a line names; these fields are taken out of it."""
    if kind.about in THINGS and not kind.brings:
        yield Named(field="id", about=kind.about, outside=outside, id=id_of(ids, kind.about, outside))
    for said, (_, about) in layout.references.items():
        given = fields.pop(said, None)
        if given is not None:
            named = _outside(said, given)
            yield Named(field=said, about=about, outside=named, id=id_of(ids, about, named))
    if (doer := fields.pop(BY, None)) is not None:
        # A kind that has the field itself took it out above: it means the same there.
        named = _outside(BY, doer)
        yield Named(field=BY, about=MEMBER, outside=named, id=id_of(ids, MEMBER, named))
    if place := layout.place:
        named = _outside(place, fields.pop(place, None))
        yield Named(field=place, about=place, outside=named, id=id_of(ids, place, named))


def _derived(kind: FactKind, layout: Layout, outside: str, names: Sequence[Named], ids: Ids) -> dict[str, str]:
    """The fields of the command that follow from outside ids."""
    derived = {layout.references[each.field][0]: str(each.id) for each in names if each.field in layout.references}
    if layout.own:
        derived[layout.own] = str(id_of(ids, kind.about, outside))
    return derived | ({OUTSIDE_ID: outside} if OUTSIDE_ID in layout.derived else {})


def _command(kind: FactKind, layout: Layout, fields: Mapping[str, Any]) -> Any:
    """The command that takes a line in. Raises NotAFact."""
    said_as = {field: said for said, (field, _) in layout.references.items()}
    try:
        command = _adapter(kind.command).validate_python(fields)
    except ValidationError as error:
        raise NotAFact("; ".join(_reason(fault, said_as) for fault in error.errors(include_url=False))) from error
    at = getattr(command, "at", None)
    if at is not None and not FIRST_DAY <= at.date() <= LAST_DAY:
        raise NotAFact(f"at: an instant lies between {FIRST_DAY} and {LAST_DAY}")
    return command


def _reason(fault: Any, said_as: Mapping[str, str]) -> str:
    """What is wrong with a field, under the name that it has in lines: an id that was derived can only be missing."""
    place = fault["loc"]
    if place and place[0] in said_as:
        return f"{said_as[place[0]]}: the outside id is missing"
    return f"{'.'.join(map(str, place))}: {words_of(fault)[1].removesuffix('.')}"


def _placed(layout: Layout, names: Sequence[Named]) -> UUID | None:
    """The aggregate of a part, where the line names it."""
    return next((each.id for each in names if each.field == layout.place), None)


def _outside(field: str, said: Any) -> str:
    """An outside id wherever one stands: a text, or a whole number, which is the text of its digits."""
    if said is None or said == "":
        raise NotAFact(f"{field}: the outside id is missing")
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said)
    if not isinstance(said, str):
        raise NotAFact(f"{field}: an outside id is a text or a whole number, not {said!r}")
    return said


def _distinguished(
    line: Mapping[str, Any], kind: FactKind, layout: Layout, fact_id: str | None, command: Any
) -> Iterator[str]:
    """What tells a fact from others of its kind about the same thing."""
    if kind.again is None:
        return
    if fact_id is not None:
        yield f"={uuid5(OUTSIDE, fact_id)}"  # as a hash: nobody knows what they hold
        return
    if not kind.again or WHICH_FIELDS in kind.again:
        at = command.at
        yield at.astimezone(UTC).isoformat() if at and at.tzinfo else command.on.isoformat()
    for said in kind.again:
        own, _ = layout.references.get(said, (said, ""))
        yield "+".join(sorted(line.keys() - COMMON)) if said == WHICH_FIELDS else str(getattr(command, own, None))


@cache
def _adapter(command: type) -> TypeAdapter[Any]:
    return TypeAdapter(command)
