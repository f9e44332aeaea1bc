"""How the history of accounts comes in: dated facts, without gates (DATA-5). Imports run these, nobody else."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.leads.domain.account.contacts import reached
from services.leads.domain.account.following_up import kind_faults
from services.leads.domain.account.record import Neighbours, became, check_place, opened, said_by
from services.leads.domain.account.state import ActiveAccount, NoAccount, account
from services.leads.domain.contact_points import KnownUnder, domain_key, email_key
from services.leads.domain.fields import ActivityKind, Country, Domain, Email, Headcount, Phone, Word
from services.leads.domain.reminders import RemindedToday, reminded_until, reminding
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import BuyingRole, Day, Name
from shared.domain.history import said_of
from shared.domain.imports import ONCE
from shared.domain.policy import InForce
from shared.domain.references import AnyAccountId, LeadId, MemberId, OwnContactId, TeamId
from shared.domain.rejection import refuse_all
from shared.domain.retraction import retractable
from shared.events.definition import value
from shared.events.leads.account import (
    AccountChanged,
    AccountFactRetracted,
    AccountFollowUpPlanned,
    AccountHandedOver,
    AccountOpened,
    ContactAdded,
)
from shared.events.leads.policy import FollowUps
from shared.events.working_hours import WorkingHours


@value
class ImportAccount:
    """An account as history knows it; of several days, what it was from each of them on."""

    on: Day
    """The day: when it became known, or when this was so."""
    name: Name
    domain: Domain | None = None
    industry: Word | None = None
    size: Headcount | None = None
    country: Country | None = None
    parent_id: AnyAccountId | None = None
    owner: MemberId | None = None
    team: TeamId | None = None
    lead_id: LeadId | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportContact:
    """A contact as history knows it."""

    on: Day
    """The day: when they became known."""
    contact_id: OwnContactId
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    title: Name | None = None
    buying_role: BuyingRole | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportAccountFollowUp:
    """When an account was to be followed up next, as history knows it."""

    on: Day
    """The day: when it was planned."""
    planned_for: Day | None
    """The day of the follow-up; null where explicitly none was planned."""
    kind: ActivityKind | None = None
    """What was to be done."""
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


retractable(account, AccountFactRetracted)


@account.imports(
    "account",
    AccountOpened,
    AccountChanged,
    AccountHandedOver,
    keys=lambda command: [("domain", domain_key(command.domain))],
)
def import_account(
    state: NoAccount | ActiveAccount,
    command: ImportAccount,
    context: Context,
    *,
    neighbours: Neighbours,
    reminded: RemindedToday,
) -> Decision:
    """Take over an account from history, or what a later export says of it: what that does not say, or says in a way
    that cannot be read, stays as it was."""
    account_id = context.aggregate_id
    profile = said_by(command, leave_out=True)
    check_place(account_id, neighbours)
    kept = {"owner": command.owner, "team": command.team}
    if isinstance(state, NoAccount):
        said = said_of(asdict(profile) | kept)
        events: list[Any] = [opened(account_id, profile, **kept, lead_id=command.lead_id, said=said)]
    else:
        # Also what was so before: what is told later may lie between.
        events = [became(account_id, profile, lead_id=command.lead_id, said=said_of(asdict(profile)))]
        if any(kept.values()):
            events.append(
                AccountHandedOver(
                    account_id=account_id,
                    **kept,
                    said=said_of(kept),
                    owner_before=state.owner,
                    team_before=state.team,
                    reminded_follow_up=reminded_until(reminded, state.reminders),
                )
            )
    at = context.past_moment(command.on, command.at)
    return [Occurrence(event=event, at=at) for event in events]


@account.imports(
    "contact",
    ContactAdded,
    about="contact",
    again=ONCE,
    keys=lambda command: [("email", email_key(command.email))],
    last=True,
)
def import_contact(state: ActiveAccount, command: ImportContact, context: Context, known: KnownUnder) -> Decision:
    """Take over a contact from history, whoever else is known under the same address."""
    points = reached(state, command, leave_out=True)
    added = ContactAdded(
        account_id=state.id,
        contact_id=command.contact_id,
        buying_role=command.buying_role,
        name=command.name,
        email=points.email,
        phone=points.phone,
        title=command.title,
        candidates=known.without(state.id).ids or None,
    )
    return [Occurrence(event=added, at=context.past_moment(command.on, command.at))]


@account.imports("account-follow-up", AccountFollowUpPlanned)
def import_follow_up(
    state: ActiveAccount,
    command: ImportAccountFollowUp,
    context: Context,
    *,
    reminded: RemindedToday,
    follow_ups: InForce[FollowUps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Take over from history when an account was to be followed up. Where that day has not passed people are reminded,
    as of a follow-up that is planned here."""
    reasons = kind_faults(command.planned_for is not None, command.kind)
    refuse_all("invalid-follow-up", "The follow-up cannot be taken over like this.", reasons)
    planned = AccountFollowUpPlanned(
        account_id=state.id,
        on=command.planned_for,
        kind=command.kind,
        **reminding(state.id, command.planned_for, context, team=state.team, follow_ups=follow_ups, hours=hours),
        reminded_follow_up=reminded_until(reminded, state.reminders),
    )
    return [Occurrence(event=planned, at=context.past_moment(command.on, command.at))]
