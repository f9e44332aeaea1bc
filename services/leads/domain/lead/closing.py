"""How a lead ends: converted to an account, a contact and maybe a deal, or disqualified (LEAD-8)."""

from dataclasses import replace
from datetime import date
from typing import ClassVar, Literal
from uuid import UUID, uuid5

from services.leads.domain.contact_points import KnownUnder
from services.leads.domain.lead.nurturing import facts_about
from services.leads.domain.lead.reminding import reminded_follow_up
from services.leads.domain.lead.state import ConvertedLead, DisqualifiedLead, OpenLead, lead
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.criteria import unmet
from shared.domain.fields import BuyingRole, Day, LongText, Name
from shared.domain.money import check_money
from shared.domain.policy import InForce
from shared.domain.references import AccountId
from shared.domain.rejection import Rejected, all_at_once, refuse_all
from shared.domain.roles import SELLING
from shared.events.definition import value
from shared.events.leads.account import AccountOpened, ContactAdded
from shared.events.leads.lead import LeadConverted, LeadDisqualified
from shared.events.leads.policy import NurturingExit
from shared.events.money import Money

DisqualificationReason = Literal[
    "no-need", "no-budget", "no-authority", "not-reachable", "bought-elsewhere", "outside-market", "spam", "other"
]


@value
class MatchedAccount:
    """The account that a lead becomes a contact of: the one that the command names, else the one with the company's
    domain. None of both: a new one."""

    id: UUID | None = None
    of_others: bool = False
    """Whether there is one with the domain that whoever asks does not see: nothing of it is told, nor written to it."""


@value
class WantedDeal:
    """The deal that the conversion brings about."""

    name: Name
    amount: Money
    """In any currency."""
    expected_close: Day | None = None
    """Today or later."""


@value
class ConvertLead:
    """Make a qualified lead an account's contact, and maybe a deal."""

    account_id: AccountId | None = None
    """An existing account; default: the one with the company's domain, else a new one. That of others is refused."""
    account_name: Name | None = None
    """The name of a new account; default: the company's."""
    buying_role: BuyingRole | None = None
    deal: WantedDeal | None = None

    example: ClassVar[dict[str, object]] = {
        "buying_role": "champion",
        "deal": {
            "name": "Northwind Tooling, second line",
            "amount": {"amount": "620000.00", "currency": "EUR"},
            "expected_close": "2027-03-31",
        },
    }


@value
class DisqualifyLead:
    """Give up a lead."""

    reason: DisqualificationReason
    note: LongText | None = None

    example: ClassVar[dict[str, object]] = {"reason": "no-budget", "note": "Frozen until next year."}


@lead.decides(allow=SELLING)
def convert(
    state: OpenLead,
    command: ConvertLead,
    context: Context,
    *,
    matched: MatchedAccount,
    known: KnownUnder,
    nurturing: InForce[NurturingExit],
) -> Decision:
    """Convert a qualified lead to an account (new or matched), a contact and, if wanted, a deal: all or nothing.

    Refused with every unmet criterion of the exit rule of nurturing.
    """
    exit_rule = nurturing.of(team=state.team)
    missing = unmet(exit_rule.document.criteria, facts_about(state.qualification), "nurturing exit")
    all_at_once(
        lambda: refuse_all("not-qualified", "The lead is not qualified.", missing),
        lambda: checked(command.deal, context),
        lambda: _check_account(state, command, matched),
    )
    deal = checked(command.deal, context)
    account_id = matched.id or context.derived_id("account")
    contact_id = context.derived_id("contact")
    opened = [] if matched.id else [Occurrence(event=opened_for(state, command, account_id), to=account_id)]
    return [
        *opened,
        Occurrence(event=contact_of(state, command, account_id, contact_id, known), to=account_id),
        LeadConverted(
            lead_id=state.id,
            account_id=account_id,
            contact_id=contact_id,
            captured_at=state.captured_at or context.now,
            source=state.captured.source,
            owner=state.owner,
            team=state.team,
            deal_id=deal_of(state.id) if deal else None,
            deal_name=deal.name if deal else None,
            amount=deal.amount if deal else None,
            expected_close=deal.expected_close if deal else None,
            industry=state.captured.industry,
            company_size=state.captured.company_size,
            country=state.captured.country,
            exit_version=exit_rule.version,
            reminded_follow_up=reminded_follow_up(state),
        ),
    ]


@lead.decides(allow=SELLING)
def disqualify(state: OpenLead, command: DisqualifyLead) -> Decision:
    """Give up a lead that is not worth following, with the reason."""
    told = reminded_follow_up(state)
    return [LeadDisqualified(lead_id=state.id, reason=command.reason, note=command.note, reminded_follow_up=told)]


@lead.already
def is_converted(state: ConvertedLead, command: ConvertLead) -> bool:
    if command.account_id not in (None, state.account_id):
        return False
    if command.deal is None or state.deal_id is None:
        return command.deal is None and state.deal_id is None
    wanted = command.deal
    return (wanted.name, wanted.amount, wanted.expected_close) == (state.deal_name, state.amount, state.expected_close)


@lead.already
def is_disqualified(state: DisqualifiedLead, command: DisqualifyLead) -> bool:
    return (state.reason, state.note) == (command.reason, command.note)


@lead.evolves
def is_opened_by_conversion(state: OpenLead, event: LeadConverted) -> ConvertedLead:
    return ConvertedLead(
        id=state.id,
        captured=state.captured,
        captured_at=state.captured_at,
        owner=state.owner,
        team=state.team,
        qualification=state.qualification,
        activities=state.activities,
        account_id=event.account_id,
        contact_id=event.contact_id,
        deal_id=event.deal_id,
        deal_name=event.deal_name,
        amount=event.amount,
        expected_close=event.expected_close,
    )


@lead.evolves
def was_given_up(state: OpenLead, event: LeadDisqualified) -> DisqualifiedLead:
    return DisqualifiedLead(
        id=state.id,
        captured=state.captured,
        captured_at=state.captured_at,
        owner=state.owner,
        team=state.team,
        qualification=state.qualification,
        activities=state.activities,
        reason=event.reason,
        note=event.note,
    )


def deal_of(lead_id: UUID) -> UUID:
    """The id of the deal that a lead becomes. Deals are another service's: an id from outside might be taken there, and
    nobody would hear of it here."""
    return uuid5(lead_id, "deal")


def checked(deal: WantedDeal | None, context: Context) -> WantedDeal | None:
    """The deal that is wanted, once its amount and day can be; raises Rejected."""
    if deal is None:
        return None
    all_at_once(
        lambda: check_money(deal.amount, "deal.amount"),
        lambda: _check_worth(deal.amount),
        lambda: _check_day(deal.expected_close, context),
    )
    return replace(deal, amount=check_money(deal.amount, "deal.amount"))


def _check_worth(amount: Money) -> None:
    if amount.amount < 0:
        raise Rejected("out-of-range", "A deal is not worth less than nothing.", field="deal.amount.amount")


def _check_day(expected_close: date | None, context: Context) -> None:
    if expected_close is not None and expected_close < context.today:
        raise Rejected("in-the-past", "A deal is expected to close today or later.", field="deal.expected_close")


def _check_account(state: OpenLead, command: ConvertLead, matched: MatchedAccount) -> None:
    if matched.of_others:
        message = (
            "An account with this domain is kept by somebody else; have the lead handed to them or the account to you."
        )
        raise Rejected("account-of-others", message)
    if matched.id is None and _name_of(state, command) is None:
        message = "The lead names no company: say what the account is called."
        raise Rejected("name-missing", message, field="account_name")


def _name_of(state: OpenLead, command: ConvertLead) -> str | None:
    return command.account_name or state.captured.company_name


def opened_for(state: OpenLead, command: ConvertLead, account_id: UUID) -> AccountOpened:
    """The account that a lead opens, with the lead's company, owner and team."""
    name = _name_of(state, command)
    assert name is not None, "checked before"
    return AccountOpened(
        account_id=account_id,
        name=name,
        domain=state.captured.company_domain,
        industry=state.captured.industry,
        size=state.captured.company_size,
        country=state.captured.country,
        owner=state.owner,
        team=state.team,
        lead_id=state.id,
    )


def contact_of(
    state: OpenLead, command: ConvertLead, account_id: UUID, contact_id: UUID, known: KnownUnder
) -> ContactAdded:
    """The contact that a lead becomes."""
    return ContactAdded(
        account_id=account_id,
        contact_id=contact_id,
        buying_role=command.buying_role,
        name=state.captured.person_name,
        email=state.captured.email,
        phone=state.captured.phone,
        title=state.captured.title,
        candidates=known.without(state.id).without(account_id).ids or None,
    )
