"""What handlers are given besides their state. All is read fresh, but for two looks into lists: who is in a team, and
the leads that were open at a past instant."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.leads.domain.account.history import ImportAccount
from services.leads.domain.account.record import Keeper, Neighbours
from services.leads.domain.account.state import ActiveAccount, NoAccount, account
from services.leads.domain.assignment import (
    AssignmentDesk,
    Candidate,
    RunningAssignmentQueue,
    assignment_queue,
    chosen_team,
    queue_of,
)
from services.leads.domain.contact_points import Known, KnownUnder, domain_key, email_key, first_known
from services.leads.domain.hierarchy import Line, is_circular, line_of, now_below, parents
from services.leads.domain.lead.capture import AssignLead
from services.leads.domain.lead.closing import ConvertLead, MatchedAccount
from services.leads.domain.lead.history import ImportLead
from services.leads.domain.lead.reminding import reminded_follow_up
from services.leads.domain.lead.state import ConvertedLead, DuplicateLead, OpenLead, lead
from services.leads.domain.organisation.member import ActiveMember, SubjectHolder, member
from services.leads.domain.organisation.team import (
    ActiveTeam,
    HierarchyPlace,
    ImportTeam,
    NamedMember,
    NoTeam,
    team,
)
from services.leads.domain.reminders import OwnerToday, RemindedToday
from services.leads.projections.leads import LEAD_PROJECTION, OPEN_THEN
from services.leads.projections.people import CANDIDATES, PEOPLE_PROJECTION
from shared.commands.loaders import LoaderContext, reads
from shared.domain.aggregate import Aggregate
from shared.domain.context import Context
from shared.domain.history import Recorded, timed
from shared.domain.permissions import sees
from shared.domain.working_time.leave import is_away
from shared.domain.working_time.reminders import reminded_plan
from shared.events.leads.account import AccountChanged, ContactAdded
from shared.events.leads.team import TeamChanged


async def place(reader: LoaderContext, state: Any, command: ImportTeam, context: Context) -> HierarchyPlace:
    """Where a line of history puts a team, among the facts of all teams that it ever stood below."""
    if command.parent_id is None and (isinstance(state, NoTeam) or state.parent_id is None):
        return HierarchyPlace()
    told = TeamChanged(team_id=context.aggregate_id, name=command.name, parent_id=command.parent_id)
    return HierarchyPlace(circular=await _once_circular(reader, team, context, _fact_of(command, told, context)))


async def named_member(reader: LoaderContext, state: Any, command: Any, context: Context) -> NamedMember:
    """The member whom a command names."""
    found = reader.named.get(("member", command.member_id)) if command.member_id else None
    return NamedMember(team=found.team if found else None)


async def subject_holder(reader: LoaderContext, state: Any, command: Any, context: Context) -> SubjectHolder:
    """The member who signs in with the subject that a command names."""
    return SubjectHolder(member_id=await reader.claim_holder("subject", command.subject))


@reads(LEAD_PROJECTION.name)
async def known_under(reader: LoaderContext, state: Any, command: Any, context: Context) -> KnownUnder:
    """Who is known under the address that a command names, or that a lead has: open leads, and people of accounts
    (LEAD-2); for a lead of history also those that were open then.

    A lead that ended meanwhile is nobody any more; should it hold the address still, the append finds out.
    """
    address = state.captured.email if isinstance(command, ConvertLead) else email_key(command.email)
    holders = await reader.claim_holders("email", address) if address else frozenset[UUID]()
    people: list[Known] = []
    if address and isinstance(command, ImportLead):
        own, _ = await reader.state(lead, context.aggregate_id)
        if isinstance(own, DuplicateLead) and own.captured.email == address:
            # Corrected: it stays the duplicate that it was, whatever has become of its original.
            people.append(Known(id=own.original_id, kind=own.original_kind, owner=own.owner, team=own.team))
        if isinstance(own, ConvertedLead):
            holders -= {own.account_id}
        at = context.past_moment(command.on, command.at).at
        people += await _open_before(reader, address, at, context.aggregate_id)
    for holder in sorted(holders):
        found, _ = await reader.state(lead, holder)
        if isinstance(found, OpenLead):
            name, since = found.captured.person_name, found.captured_at
            told = reminded_follow_up(found)
            people.append(
                Known(
                    id=holder,
                    name=name,
                    since=since,
                    owner=found.owner,
                    team=found.team,
                    reminded_follow_up=told,
                )
            )
            continue
        found, _ = await reader.state(account, holder)
        if not isinstance(found, ActiveAccount):
            continue
        came = await _came(reader, holder) if isinstance(command, ImportLead) else {}
        people += [
            Known(
                id=holder,
                kind="account",
                name=contact.name,
                since=came.get(contact.id),
                owner=found.owner,
                team=found.team,
            )
            for contact in found.contacts
            if contact.email == address
        ]
    return KnownUnder(people=tuple(sorted(people, key=first_known)))


async def reminded_today(reader: LoaderContext, state: Any, command: Any, context: Context) -> RemindedToday:
    """The follow-up that somebody was reminded of, by the lead or account as it stands today: what is told late is
    decided on how it stood then, and people were told since."""
    family = account if isinstance(state, NoAccount | ActiveAccount) else lead
    today, _ = await reader.state(family, context.aggregate_id)
    follow_up = reminded_plan(getattr(today, "reminders", None))
    if follow_up is None or context.told_as is None:
        return RemindedToday(follow_up=follow_up)
    told_before = [fact for fact in await reader.history(family, context.aggregate_id) if fact.fact == context.told_as]
    plans = [getattr(fact.data, "follow_up_id", None) for fact in told_before]
    return RemindedToday(follow_up=follow_up, is_corrected=follow_up in plans)


async def owner_today(reader: LoaderContext, state: Any, command: Any, context: Context) -> OwnerToday:
    """Whether whoever has a lead or an account is away today (ORG-1)."""
    found, _ = await reader.state(member, state.owner) if state.owner else (None, 0)
    return OwnerToday(is_away=isinstance(found, ActiveMember) and is_away(found.leaves, context.today))


async def _open_before(reader: LoaderContext, address: str, at: datetime, lead_id: UUID) -> list[Known]:
    """The leads that came before one of an instant, were open then, and have ended. As the list knows them: what comes
    in together is told in the order in which it happened, and finds them open."""
    return [
        Known(id=row["id"], name=row["person_name"], since=row["captured_at"], owner=row["owner"], team=row["team"])
        for row in await reader.fetch(LEAD_PROJECTION, OPEN_THEN, address, at, lead_id)
    ]


async def _came(reader: LoaderContext, account_id: UUID) -> dict[UUID, datetime]:
    """When the contacts of an account came to be known."""
    return {
        fact.data.contact_id: at
        for at, fact in timed(await reader.history(account, account_id))
        if isinstance(fact.data, ContactAdded)
    }


@reads(PEOPLE_PROJECTION.name, LEAD_PROJECTION.name)
async def assignment_desk(reader: LoaderContext, state: Any, command: Any, context: Context) -> AssignmentDesk:
    """The team that gets the lead, its candidates, and where its round stands (LEAD-4)."""
    by_hand = isinstance(command, AssignLead)
    chosen, rule = chosen_team(command.team_id, None if by_hand else context.actor.team)
    if chosen is None or not await _team_exists(reader, chosen):
        return AssignmentDesk(rule=rule)
    # First the queue: every turn that it tells of is among what the reps carry, and the append finds out about others.
    queue, _ = await reader.state(assignment_queue, queue_of(chosen))
    rows = await reader.fetch(PEOPLE_PROJECTION, CANDIDATES, chosen, context.today)
    moving = await _owners(reader, rows[0]["moving"]) if rows else Counter[UUID | None]()
    return AssignmentDesk(
        rule=rule,
        team_id=chosen,
        candidates=tuple(
            Candidate(
                member_id=row["id"],
                capacity=row["capacity"],
                open_leads=row["open_leads"] + moving[row["id"]],
                on_leave=row["on_leave"],
            )
            for row in rows
        ),
        last=queue.last if isinstance(queue, RunningAssignmentQueue) else None,
    )


async def _owners(reader: LoaderContext, leads: Sequence[UUID]) -> Counter[UUID | None]:
    """How many of these leads are open, by their owners."""
    found = await asyncio.gather(*(reader.state(lead, each) for each in leads))
    return Counter(state.owner for state, _ in found if isinstance(state, OpenLead))


async def matched_account(
    reader: LoaderContext, state: OpenLead, command: ConvertLead, context: Context
) -> MatchedAccount:
    """The account that a command names, else the one with the company's domain, where whoever asks sees it (LEAD-8)."""
    if command.account_id is not None:
        return MatchedAccount(id=command.account_id)
    domain = state.captured.company_domain
    holder = await reader.claim_holder("domain", domain) if domain else None
    if holder is None:
        return MatchedAccount()
    # Loaded also so that the contact is appended to what is known here.
    found, _ = await reader.state(account, holder)
    if not sees(context.actor, account.readers, getattr(found, "owner", None), getattr(found, "team", None)):
        return MatchedAccount(of_others=True)
    return MatchedAccount(id=holder)


async def neighbours(reader: LoaderContext, state: Any, command: Any, context: Context) -> Neighbours:
    """Who holds the domain that a command names, and what stands above the parent that it names (ACCT-1)."""
    domain = domain_key(command.domain or None)
    holder = await reader.claim_holder("domain", domain) if domain else None
    if isinstance(command, ImportAccount):
        return replace(await _once_above(reader, state, command, context), domain_holder=holder)
    if not command.parent_id:
        return Neighbours(domain_holder=holder)
    lines = await _lines(context.aggregate_id, now_below(command.parent_id), partial(_now_below, reader))
    return Neighbours(
        domain_holder=holder,
        circular=is_circular(context.aggregate_id, lines),
    )


async def _once_above(reader: LoaderContext, state: Any, command: ImportAccount, context: Context) -> Neighbours:
    """What the parent is that a line of history tells of an account, among the facts of all it ever belonged to."""
    if command.parent_id is None and (isinstance(state, NoAccount) or state.profile.parent_id is None):
        return Neighbours()
    said = ("parent_id",) if command.parent_id else ()
    told = AccountChanged(account_id=context.aggregate_id, name=command.name, parent_id=command.parent_id, said=said)
    return Neighbours(
        parent_exists=command.parent_id is None or await _account_exists(reader, command.parent_id),
        circular=await _once_circular(reader, account, context, _fact_of(command, told, context)),
    )


async def _account_exists(reader: LoaderContext, account_id: UUID) -> bool:
    found, _ = await reader.state(account, account_id)
    return isinstance(found, ActiveAccount)


async def _now_below(reader: LoaderContext, account_id: UUID) -> Line:
    """What an account belongs to now; it stays so until what is decided is written."""
    found, _ = await reader.state(account, account_id)
    reader.rest_on(account, account_id)
    return now_below(found.profile.parent_id if isinstance(found, ActiveAccount) else None)


def _fact_of(command: ImportTeam | ImportAccount, told: Any, context: Context) -> Recorded:
    """What a line of history tells, as it would be read back."""
    moment = context.past_moment(command.on, command.at)
    return Recorded(
        data=told,
        occurred_at=moment.at,
        by_day=moment.by_day,
        sequence=0,
        fact=context.told_as,
        causation_id=context.command_id,
    )


async def _once_circular(reader: LoaderContext, aggregate: Aggregate, context: Context, told: Recorded) -> bool:
    """Whether something would stand below itself at any time, with one more fact about it."""

    async def line(thing: UUID) -> Line:
        reader.rest_on(aggregate, thing)
        return line_of(await reader.history(aggregate, thing))

    known = await reader.history(aggregate, context.aggregate_id)
    own = line_of([*known, replace(told, sequence=len(known) + 1)])
    return is_circular(context.aggregate_id, await _lines(context.aggregate_id, own, line))


async def _lines(own: UUID, line: Line, read: Callable[[UUID], Awaitable[Line]]) -> dict[UUID, Line]:
    """The line of something, and those of all that stand above it."""
    lines, left = {own: line}, parents(line)
    while left:
        thing = left.pop()
        if thing not in lines:
            lines[thing] = await read(thing)
            left |= parents(lines[thing])
    return lines


async def keeper(reader: LoaderContext, state: Any, command: Any, context: Context) -> Keeper:
    """Whose a new account becomes: the member who is named, else whoever asks."""
    if command.owner is None:
        return Keeper(member_id=context.actor.member, team=context.actor.team)
    found = reader.named.get(("member", command.owner))
    return Keeper(member_id=command.owner, team=found.team if found else None)


async def _team_exists(reader: LoaderContext, team_id: UUID) -> bool:
    found, _ = await reader.state(team, team_id)
    return isinstance(found, ActiveTeam)
