"""What is asked: when, as known when, about whose deals, and how much of that the asker may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict
from uuid import UUID

from shared.domain.context import Actor, Company
from shared.domain.fields import FIRST_DAY, LAST_DAY
from shared.domain.permissions import reach_of
from shared.domain.roles import READING, Reach
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.query_values import WithoutOffset, day, moment

NOBODY = UUID(int=0)
"""Stands for no owner and no team in keys, and among the owners asked about for what nobody owns."""

SCOPE = f"""($1::boolean or team = any($2::uuid[]) or owner = $3) and ($4::uuid[] is null or team = any($4))
  and ($5::uuid[] is null or owner = any($5) or (owner is null and '{NOBODY}' = any($5)))"""
"""The rows that count: those that the asker sees, narrowed by the filters. Its arguments are `Question.scope`."""


def scoped(sql: str) -> str:
    """A statement whose "{scope}" is `SCOPE`; its own arguments begin at $6."""
    return sql.replace("{scope}", SCOPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The common part of every question.

    `as_of` is the instant asked about; `current` says that it is now.
    `known_at` is None for what is known by now. `teams` (the first asked about first, and those below) and `owners`
    narrow the answer, `is_of_one` where that is one team or one owner; `asker` is who asks.
    """

    as_of: datetime
    current: bool
    known_at: datetime | None
    asker: Actor
    sees_all: bool
    sees_teams: tuple[UUID, ...]
    member: UUID | None
    teams: tuple[UUID, ...] | None
    owners: tuple[UUID, ...] | None
    is_of_one: bool = True

    @property
    def scope(self) -> tuple[Any, ...]:
        """The arguments of `SCOPE`."""
        return (
            self.sees_all,
            list(self.sees_teams),
            self.member,
            None if self.teams is None else list(self.teams),
            None if self.owners is None else list(self.owners),
        )

    def covers(self, team: UUID | None, owner: UUID | None) -> bool:
        """The same as `SCOPE`, for rows that are not in a table."""
        seen = self.sees_all or team in self.sees_teams or (self.member is not None and owner == self.member)
        of_teams = self.teams is None or team in self.teams
        return seen and of_teams and (self.owners is None or (owner or NOBODY) in self.owners)

    @property
    def known_until(self) -> datetime:
        """Up to when facts were recorded that count: `known_at`, or for ever."""
        return self.known_at or datetime.max.replace(tzinfo=UTC)


def question(
    actor: Actor,
    company: Company,
    now: datetime,
    *,
    as_of: str | None,
    known_at: str | None,
    teams: Sequence[UUID] = (),
    owners: Sequence[UUID] = (),
) -> Question:
    """Read the common parameters: a date means the end of that day; `known_at` alone implies `as_of` = `known_at`. No
    teams, or owners, are all of them."""
    known = instant(known_at, "known_at", company, now) if known_at is not None else None
    asked = instant(as_of, "as_of", company, now) if as_of is not None else known
    return Question(
        as_of=min(asked, now) if asked else now,
        current=asked is None or asked >= now,
        known_at=known,
        **scope_of(actor),
        teams=tuple(teams) or None,
        owners=tuple(owners) or None,
        is_of_one=len(teams) <= 1 and len(owners) <= 1 and NOBODY not in owners,
    )


class ReadScope(TypedDict):
    """The part of a question that follows from who asks."""

    asker: Actor
    sees_all: bool
    sees_teams: tuple[UUID, ...]
    member: UUID | None


def scope_of(actor: Actor) -> ReadScope:
    """How much an actor sees (API-4)."""
    reach = reach_of(actor, READING)
    return ReadScope(
        asker=actor,
        sees_all=reach is Reach.ALL,
        sees_teams=tuple(sorted(actor.teams)) if reach is Reach.TEAM else (),
        member=actor.member,
    )


def instant(text: str, field: str, company: Company, now: datetime) -> datetime:
    """Read a date (its end) or an instant with an offset, up to now on the company clock; today is a date like others.

    Refused, naming the parameter, when it is neither, or when it lies in the future.
    """
    today = company.day(now)
    try:
        if len(text) == len("2026-12-31"):
            asked = day(text)
            return _in_reach(company.end_of(asked), field, in_the_future=asked > today)
        at = moment(text)
    except WithoutOffset as error:
        raise InvalidQuery([invalid(field, "without-offset", f"{field} needs an offset, like Z for UTC.")]) from error
    except (ValueError, OverflowError) as error:
        sentence = f"{field} is a date like 2026-03-31 or an instant like 2026-03-31T12:00:00Z."
        raise InvalidQuery([invalid(field, "not-an-instant", sentence)]) from error
    return _in_reach(at, field, in_the_future=at > now)


def _in_reach(at: datetime, field: str, *, in_the_future: bool) -> datetime:
    """Refuse instants of which nothing is known yet, or from which one cannot reckon a window back, or a day on."""
    if not FIRST_DAY.year <= at.year <= LAST_DAY.year:
        raise InvalidQuery([invalid(field, "out-of-range", f"{field} lies between {FIRST_DAY} and {LAST_DAY}.")])
    if in_the_future:
        raise InvalidQuery([invalid(field, "in-the-future", f"{field} lies in the future of the company clock.")])
    return at
