"""Decision context: who asks, and what time it is; the injected part of a decision."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from shared.domain.periods import CALENDAR_YEAR, FiscalYear
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.domain.working_days import WEEKENDS_ONLY, BusinessCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. `member` is their id in the sales organisation, `team` the team they sit in, `teams` all teams that
    they reach (their own, and for a manager the teams below); services and outsiders have none."""

    subject: str
    roles: frozenset[Role]
    member: UUID | None = None
    team: UUID | None = None
    teams: frozenset[UUID] = frozenset()


OF_SERVICES = "service:"
"""What the subjects of services begin with, and those of people do not: it tells in events who did something."""


def service_actor(name: str) -> Actor:
    """The machinery itself (a service, the import), as it stands in events: `service:<name>`."""
    return Actor(subject=f"{OF_SERVICES}{name}", roles=frozenset({Role.SERVICE}))


def is_system(actor: Actor) -> bool:
    """Whether a program acts on its own behalf, for no member of the organisation."""
    return actor.member is None and Role.SERVICE in actor.roles


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened: its instant, UTC, or one that stands for its day where nothing but that is known."""

    at: datetime
    by_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The settings of this deployment that rules depend on."""

    currency: str = "EUR"
    timezone: str = "UTC"
    calendar: BusinessCalendar = WEEKENDS_ONLY
    fiscal_year: FiscalYear = CALENDAR_YEAR

    def day(self, moment: datetime) -> date:
        """The company's calendar day of an instant."""
        return _day(moment, self.timezone)

    def start_of(self, day: date) -> datetime:
        """The first instant (UTC) of a day of the company."""
        return _start_of(day, self.timezone)

    def start_after(self, day: date) -> datetime:
        """The first instant (UTC) after a day of the company."""
        return self.start_of(day + timedelta(days=1))

    def end_of(self, day: date) -> datetime:
        """The last instant (UTC) of a day of the company."""
        return _end_of(day, self.timezone)


# Remembered, for the days and instants of one fold come again and again, and a time zone is slow to ask.
@lru_cache(maxsize=16384)
def _day(moment: datetime, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date()


@lru_cache(maxsize=4096)
def _start_of(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(timezone)).astimezone(UTC)


@lru_cache(maxsize=4096)
def _end_of(day: date, timezone: str) -> datetime:
    return _start_of(day + timedelta(days=1), timezone) - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of one command. `command_id` is unique per accepted request and stable over its tries;
    `aggregate_id` is the aggregate that the command is addressed to. `told_at` is when the request was made, where it
    is one of many that were told together, and `told_as` by what the fact that it tells is known again."""

    command_id: UUID
    aggregate_id: UUID
    now: datetime
    actor: Actor
    company: Company
    told_at: datetime | None = None
    told_as: str | None = None

    @property
    def today(self) -> date:
        """The company's calendar day of `now`."""
        return self.company.day(self.now)

    def moment(self, day: date) -> Moment:
        """When something stated by its day occurred: now for today, else at the end of that day, so that it stands
        after everything that was recorded during the day."""
        return Moment(self.now) if day == self.today else Moment(self.company.end_of(day), by_day=True)

    def past_moment(
        self, on: date, at: datetime | None = None, *, since: date | None = None, field: str = "on"
    ) -> Moment:
        """The moment of a fact that history tells of: `at` where it is known, else its day (DATA-5). What is told of
        today happened before it was told.

        Raises Rejected when the day or the instant lies in the future, when the instant has no time zone or lies on
        another day of the company, and when the day lies before `since`. `field` is where the command says the day.
        """
        if at is not None and (at.tzinfo is None or self.company.day(at) != on):
            raise Rejected("other-day", f"The instant has a time zone and lies on {on}.", field="at")
        if on > self.today or (at is not None and at > self.now):
            raise Rejected("in-the-future", "History lies in the past.", field=field)
        if since is not None and on < since:
            raise Rejected("before-it-began", f"It began on {since}.", field=field)
        if at is not None:
            return Moment(at)
        return Moment(self.told_at or self.now if on == self.today else self.company.end_of(on), by_day=True)

    def derived_id(self, name: str) -> UUID:
        """An id for something that this command brings about; the same on every try of it."""
        return uuid5(self.command_id, name)
