"""The life of a lead: the states that it can stand in, and the key that it holds meanwhile."""

from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, Claim
from shared.domain.roles import READING
from shared.domain.working_time.reminders import Reminders
from shared.events.chronology import ORDER_OF_DAY
from shared.events.definition import value
from shared.events.money import Money


@value
class Captured:
    """What was said when the interest was shown, in normal form."""

    source: str
    person_name: str | None = None
    email: str | None = None
    phone: str | None = None
    title: str | None = None
    interest: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    industry: str | None = None
    company_size: int | None = None
    country: str | None = None
    campaign: str | None = None
    acquisition_cost: Money | None = None
    consent: bool = False

    def without_person(self) -> "Captured":
        """The same with nothing left about the person."""
        return replace(self, person_name=None, email=None, phone=None, title=None, interest=None)


CAPTURED_FIELDS = tuple(field.name for field in fields(Captured))


def same_fields(said: Any) -> dict[str, Any]:
    """The values of a command's or event's fields that are those of `Captured`."""
    return {name: getattr(said, name) for name in CAPTURED_FIELDS}


@value
class Qualification:
    """What is known; None is unknown."""

    need_stated: bool | None = None
    budget: Money | None = None
    decision_chain_known: bool | None = None
    timeline: str | None = None
    intent_to_cooperate: bool | None = None


UNKNOWN = Qualification()


@value
class Activity:
    """A call, mail, visit, meeting or demo."""

    id: UUID
    kind: str
    by: UUID | None
    on: date | None
    minutes: int | None
    outcome: str | None
    automatic: bool
    """Whether a system logged it on its own behalf."""
    note: str | None


@value
class NoLead:
    """Nobody showed interest yet."""


@value
class OpenLead:
    """Somebody's, or the public pool's when nobody owns it."""

    id: UUID
    captured: Captured
    captured_at: datetime | None
    owner: UUID | None = None
    team: UUID | None = None
    rule: str | None = None
    """The rule that decided about the owner."""
    qualification: Qualification = UNKNOWN
    activities: tuple[Activity, ...] = ()
    follow_up: date | None = None
    follow_up_planned: bool = False
    """True once somebody said when the next follow-up is, or that there is none."""
    reminders: Reminders | None = None
    """Of the follow-up; None where nobody is reminded of it."""
    candidates: tuple[UUID, ...] = ()
    """Leads and accounts of others who are known under the same e-mail address; they may be the same person."""


@value
class DuplicateLead:
    """Repeats another lead or a contact; those who see the original see it."""

    id: UUID
    captured: Captured
    captured_at: datetime | None
    original_id: UUID
    original_kind: str
    owner: UUID | None = None
    team: UUID | None = None
    erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()


@value
class ConvertedLead:
    """Became an account's contact, and maybe a deal."""

    id: UUID
    captured: Captured
    captured_at: datetime | None
    owner: UUID | None
    team: UUID | None
    qualification: Qualification
    activities: tuple[Activity, ...]
    account_id: UUID
    contact_id: UUID
    deal_id: UUID | None = None
    deal_name: str | None = None
    amount: Money | None = None
    expected_close: date | None = None
    erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()
    """The deals whose texts went with its person."""
    assumptions: tuple[str, ...] = ()
    """What had to be assumed: "order-of-day" of one that came to two ends on a day whose order nobody knows."""


@value
class DisqualifiedLead:
    """Not worth following."""

    id: UUID
    captured: Captured
    captured_at: datetime | None
    owner: UUID | None
    team: UUID | None
    qualification: Qualification
    activities: tuple[Activity, ...]
    reason: str
    note: str | None
    erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()
    """The deals whose texts went with its person."""
    assumptions: tuple[str, ...] = ()
    """What had to be assumed: "order-of-day" of one that came to two ends on a day whose order nobody knows."""


@value
class ErasedLead:
    """Was open when its person was erased: there is nobody left to follow up."""

    id: UUID
    captured: Captured
    captured_at: datetime | None
    owner: UUID | None
    team: UUID | None
    forgotten_deals: tuple[UUID, ...] = ()


AnyLead = OpenLead | DuplicateLead | ConvertedLead | DisqualifiedLead | ErasedLead

lead = Aggregate("lead", plural="leads", start=NoLead, readers=READING)


@lead.assumes
def ended_in_some_order(state: ConvertedLead | DisqualifiedLead) -> ConvertedLead | DisqualifiedLead:
    return replace(state, assumptions=(ORDER_OF_DAY,))


@lead.claims
def is_reached_at(state: OpenLead) -> set[Claim]:
    """An open lead holds its e-mail address: whoever comes with the same one is its duplicate, unless under another
    name (LEAD-2)."""
    email = state.captured.email
    return {Claim(kind="email", key=email, beside=frozenset(state.candidates))} if email else set()
