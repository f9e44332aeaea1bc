"""Referential integrity: what a command names is there, and whoever asks reaches it (API-1, API-4).

The types of a command's ids say what it names (`shared.domain.references`), its service how that is known: `OnStream`
what is its own, `Listed` what it knows from events of others, a moment later. Commands that people may
give are checked, whoever gives them; imports and what only services give name facts.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.commands.loaders import LoaderContext, NamedThing
from shared.domain.aggregate import Aggregate, Handler
from shared.domain.context import Actor
from shared.domain.permissions import reach_of, sees
from shared.domain.references import MADE_A_MOMENT_AGO, Naming, Thing, ids_of, named_by
from shared.domain.rejection import Reason
from shared.domain.roles import EVERYBODY, Permission, Reach, is_for_people
from shared.events.references import Reference


@dataclass(frozen=True, slots=True)
class OnStream:
    """A thing of the service itself, read from its stream: it is there while it stands in this state."""

    aggregate: Aggregate
    there: type

    @property
    def thing(self) -> str:
        """What it is."""
        return self.aggregate.name

    @property
    def readers(self) -> Permission:
        """Who sees it."""
        return self.aggregate.readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A thing of another service, read from a projection of that one's events.

    `projection` is its name, and `rows` the SQL for those of the ids `$1` that are there: `id`, `owner`, `team` and
    `account_id` of each, from `{name of the projection}.table`.
    """

    thing: str
    projection: str
    rows: str
    readers: Permission = field(default_factory=lambda: EVERYBODY)
    """Who sees it."""
    tells: bool = False
    """Whether its owner, team and account are facts for a command that names it too, known here or not yet."""


Knows = Mapping[str, OnStream | Listed]
"""How a service knows what commands name, by the thing."""


def knows_of(sources: Iterable[OnStream | Listed]) -> Knows:
    """What a service knows, by the thing."""
    return {source.thing: source for source in sources}


def check_known(aggregates: Iterable[Aggregate], knows: Knows) -> None:
    """Raise ValueError for a command that people give and that names what its service does not know."""
    for aggregate in aggregates:
        for command, handlers in aggregate.handlers.items():
            if any(is_for_people(handler.allow) for handler in handlers):
                named = {mark.thing for _, mark in ids_of(command) if isinstance(mark, Reference)}
                if unknown := named - knows.keys():
                    raise ValueError(f"{command.__name__} names {', '.join(sorted(unknown))}; nothing says how to know")


def read_for(command: type, knows: Knows) -> frozenset[str]:
    """The projections in which it is looked up what a command of people names."""
    sources = [knows[mark.thing] for _, mark in ids_of(command) if isinstance(mark, Reference)]
    return frozenset(source.projection for source in sources if isinstance(source, Listed))


async def reference_faults(
    handler: Handler, state: Any, command: Any, actor: Actor, *, reader: LoaderContext, knows: Knows
) -> list[Reason]:
    """The reasons against what a command names; what is there stands in `reader.named` from then on.

    Who asks is known, and so are their teams where people are `Listed`: a command that names nobody else costs no
    round trip there, and one that names things of other services a single one.
    """
    namings = named_by(command) if is_for_people(handler.allow) else []
    if not namings:
        return []
    asked = [each for each in namings if not _is_known(each, state, actor, knows[each.reference.thing])]
    found = await _find({each.key for each in asked}, reader, knows)
    for each in asked:
        if (thing := found.get(each.key)) and _is_open_to(actor, each.reference, thing, knows):
            reader.named[each.key] = thing
    told = _told(reader.named, knows)
    known = reader.named.keys() | told
    reasons = []
    for each in namings:
        if each.key not in told:
            reasons += _out_of_reach(each, reader.named.get(each.key), actor, handler.allow)
        if each in asked and each.key not in known:
            reasons.append(_unknown(each, knows))
    return reasons


def _is_known(naming: Naming, state: Any, actor: Actor, source: OnStream | Listed) -> bool:
    """Whether nobody has to be asked."""
    if naming.reference.kept and getattr(state, naming.field, None) == naming.id:
        return True
    if isinstance(source, OnStream):
        return False  # what is remembered of who asks may be a second old
    match naming.reference.thing:
        case "member":
            return naming.id == actor.member
        case "team":
            return _is_own_team(naming.id, actor)
    return False


def _is_own_team(team: UUID | None, actor: Actor) -> bool:
    return team is not None and (team == actor.team or team in actor.teams)


async def _find(keys: Collection[Thing], reader: LoaderContext, knows: Knows) -> Mapping[Thing, NamedThing]:
    streams = [(key, source) for key in keys if isinstance(source := knows[key[0]], OnStream)]
    states = await asyncio.gather(*(reader.state(source.aggregate, key[1]) for key, source in streams))
    found = {
        key: NamedThing(owner=getattr(state, "owner", None), team=getattr(state, "team", None))
        for (key, source), (state, _) in zip(streams, states, strict=True)
        if isinstance(state, source.there)
    }
    listed = {key[0]: source for key in sorted(keys) if isinstance(source := knows[key[0]], Listed)}
    if listed:
        sql = " union all ".join(
            f"select '{thing}' as thing, id, owner, team, account_id from ({source.rows}) as {thing}"  # noqa: S608 - both are ours
            for thing, source in listed.items()
        )
        projection = next(iter(listed.values())).projection
        reader.may_read = frozenset(source.projection for source in listed.values())
        for row in await reader.fetch(projection, sql, [key[1] for key in keys]):
            found[row["thing"], row["id"]] = NamedThing(
                owner=row["owner"], team=row["team"], account_id=row["account_id"]
            )
    return found


def _is_open_to(actor: Actor, reference: Reference, thing: NamedThing, knows: Knows) -> bool:
    """Whether whoever asks may name it: what they do not see is as what is not there."""
    return reference.anywhere or sees(actor, knows[reference.thing].readers, thing.owner, thing.team)


def _told(named: Mapping[Thing, NamedThing], knows: Knows) -> set[tuple[str, UUID | None]]:
    """What is a fact because something else that the command names says so."""
    tellers = [
        thing for (kind, _), thing in named.items() if isinstance(source := knows[kind], Listed) and source.tells
    ]
    return {
        fact
        for thing in tellers
        for fact in (("member", thing.owner), ("team", thing.team), ("account", thing.account_id))
    }


def _out_of_reach(naming: Naming, found: NamedThing | None, actor: Actor, allow: Permission) -> list[Reason]:
    """The reason against a team that somebody names who does not reach it, or a member who sits in no such team."""
    if naming.reference.anywhere or reach_of(actor, allow) is Reach.ALL:
        return []
    match naming.reference.thing:
        case "team" if not _is_own_team(naming.id, actor):
            return [Reason(code="other-team", message="This is done in a team of your own.", field=naming.field)]
        case "member" if found and naming.id != actor.member and not _is_own_team(found.team, actor):
            message = "This is done for somebody in a team of your own."
            return [Reason(code="member-of-other-team", message=message, field=naming.field)]
    return []


def _unknown(naming: Naming, knows: Knows) -> Reason:
    thing = naming.reference.thing
    message = f"There is no such {naming.reference.called or thing}."
    if isinstance(knows[thing], Listed):
        message += f" {MADE_A_MOMENT_AGO}"
    return Reason(code=f"unknown-{thing}", message=message, field=naming.field)
