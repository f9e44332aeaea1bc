"""What handlers are given besides their state: loaded fresh, so that a decision never rests on a projection that
lags."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.content_item import ActiveContentItem, ContentItem, content_item
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import AllApprovals, PendingApprovals
from services.deals.domain.deal.changes import UpdateDeal
from services.deals.domain.deal.closing import ContractOfDeal
from services.deals.domain.deal.contacts import KnownContact, KnownContacts
from services.deals.domain.deal.content import NamedContent
from services.deals.domain.deal.corrections import Tellings, tellings_of
from services.deals.domain.deal.history import DealToday
from services.deals.domain.deal.state import Deal
from services.deals.domain.deal.submission import OVER, WAITING, Submission, chains_of
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.policies import POLICIES, QUOTES
from services.deals.domain.process import process
from services.deals.domain.process.piloting import PilotCrew, StartPilot
from services.deals.domain.process.state import FollowedProcess, Process, RetiredProcess, version_of
from services.deals.domain.process_remark import NotedProcessRemark, RemarkedDeal, process_remark
from services.deals.domain.process_suggestion import NamedRemark
from services.deals.domain.product import Catalogue, ListedProduct, product
from services.deals.domain.product_cost import KnownCost, StatedProductCost, cost_of, product_cost
from services.deals.domain.quote import quote
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.quote.state import OF_DEAL, Quote, QuotedDeal
from services.deals.domain.remarked_process import RemarkedProcess
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.following import VisitsOfDeal
from services.deals.domain.stage_visit.state import AnyStageVisit, visit_of
from services.deals.domain.support_request import support_request
from services.deals.domain.support_request.asking import ON_DEAL, AskForSupport, SupportedDeal
from services.deals.domain.support_request.following import SupportOfDeal
from services.deals.domain.target import Seat, SetTarget
from services.deals.projections.contracts import KNOWN_CONTRACTS, SIGNED
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from shared.commands.loaders import LoaderContext, LookUp, reads
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.approvals import approvers_by, approvers_of
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.references import CONTACTS
from shared.domain.aggregate import status_of
from shared.domain.approval.chain import Approvers
from shared.domain.context import Context
from shared.domain.exchange import factor
from shared.domain.roles import Role
from shared.domain.working_time.reminders import reminded_plan
from shared.events.deals.process import PilotPeople
from shared.events.process import CONTRACT_MILESTONES

LAST_RATES = """
select base, array_agg(currency) as currencies, array_agg(rate) as rates from {view}.exchange_rate
 where currency in ($1, $2) and published_on <= $3
 group by published_on, base having count(*) = 2 or base in ($1, $2)
 order by published_on desc, base <> $2, base limit 1
"""
"""The rates of the last day on which one table has both currencies, be it as its base; of several the target's own."""


CREW = """
with recursive below(team_id) as (
    select t.team_id from {view}.team t where t.team_id = any($1)
    union
    select t.team_id from below b join {view}.team t on t.parent_id = b.team_id
)
select experience, count(*) as reps from {view}.member
 where role = $2 and left_on is null and ($1 = '{}' or team_id in (select team_id from below))
 group by experience order by experience
"""


async def pinned_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> Process:
    """The version of the process that the deal started on."""
    published, _ = await reader.state(process, state.process_id)
    return version_of(published, state.process_version)


@reads(ORGANISATION)
async def pilot_crew(reader: LoaderContext, state: Any, command: StartPilot, context: Context) -> PilotCrew:
    """The reps of a pilot's teams by their experience, as the organisation is known by now."""
    rows = await reader.fetch(ORGANISATION, CREW, command.teams, Role.REP)
    return PilotCrew(people=tuple(PilotPeople(experience=row["experience"], reps=row["reps"]) for row in rows))


async def catalogue(reader: LoaderContext, state: Any, command: Any, context: Context) -> Catalogue:
    """The products on the lines that a command names; of one that names none, those of the thing itself."""
    of = command if hasattr(command, "lines") else state
    named = {line.product_id for line in of.lines or () if line.product_id}
    found = {product_id: (await reader.state(product, product_id))[0] for product_id in named}
    return Catalogue(products={key: held for key, held in found.items() if isinstance(held, ListedProduct)})


async def known_cost(reader: LoaderContext, state: Any, command: Any, context: Context) -> KnownCost:
    """What the product costs the company."""
    found, _ = await reader.state(product_cost, cost_of(context.aggregate_id))
    return KnownCost(cost=found.cost if isinstance(found, StatedProductCost) else None)


@reads(EXCHANGE_RATE_PROJECTION.name)
async def conversion(reader: LoaderContext, state: Any, command: Any, context: Context) -> Conversion:
    """What the amounts of a deal, and of the command about it, are worth in the company's currency: today, or on the
    day that history tells of.

    Without another currency, nothing is looked up. Rates are read from their list: they count once that shows them.
    """
    on = getattr(command, "on", None) or context.today
    amounts = [getattr(held, "amount", None) for held in (state, command)]
    currencies = [amount.currency for amount in amounts if amount]
    return await conversion_of(reader.fetch, currencies, context.company.currency, on)


async def conversion_of(look_up: LookUp, currencies: Iterable[str], own: str, on: date) -> Conversion:
    """The same for an answer: from some currencies to the company's own, by the last rates published until a day."""
    others = sorted(set(currencies) - {own})
    return Conversion(currency=own, factors={each: await _factor(look_up, each, own, on) for each in others})


async def _factor(look_up: LookUp, source: str, target: str, on: date) -> Decimal | None:
    """How many units of a currency one of another is worth by the last rates until a day; None without any."""
    found = await look_up(EXCHANGE_RATE_PROJECTION, LAST_RATES, source, target, on)
    if not found:
        return None
    (row,) = found
    rates = dict(zip(row["currencies"], row["rates"], strict=True))
    return factor({row["base"]: Decimal(1), **rates}, source, target)


@reads(KNOWN_ACCOUNTS.name)
async def known_contacts(reader: LoaderContext, state: Any, command: Any, context: Context) -> KnownContacts:
    """The contacts that a command names, as they were found when it was asked whether they are there; of one that names
    another account, the contacts of the deal."""
    if isinstance(command, UpdateDeal):
        return await _contacts_of(reader, state) if command.account_id else KnownContacts()
    named = {contact: found for (thing, contact), found in reader.named.items() if thing == "contact"}
    return KnownContacts(
        of={
            contact: KnownContact(account_id=found.account_id, owner=found.owner, team=found.team)
            for contact, found in named.items()
        }
    )


async def _contacts_of(reader: LoaderContext, state: Deal) -> KnownContacts:
    """Where the contacts of a deal are."""
    ids = [contact.contact_id for contact in state.contacts]
    rows = await reader.fetch(KNOWN_ACCOUNTS, CONTACTS.rows, ids) if ids else []
    return KnownContacts(of={row["id"]: KnownContact(account_id=row["account_id"]) for row in rows})


async def deal_today(reader: LoaderContext, state: Any, command: Any, context: Context) -> DealToday:
    """The deal as it stands today: history that is told late is decided on how it stood then."""
    today, _ = await reader.state(deal, context.aggregate_id)
    step = reminded_plan(getattr(today, "reminders", None))
    if step is None or context.told_as is None:
        return DealToday(state=today)
    told_before = [fact for fact in await reader.history(deal, context.aggregate_id) if fact.fact == context.told_as]
    return DealToday(state=today, is_corrected=step in [getattr(fact.data, "step_id", None) for fact in told_before])


async def tellings(reader: LoaderContext, state: Any, command: Any, context: Context) -> Tellings:
    """How the activities of the deal came to be told."""
    return tellings_of(await reader.history(deal, context.aggregate_id))


async def named_content(reader: LoaderContext, state: Any, command: Any, context: Context) -> NamedContent:
    """The piece of content that an activity is about."""
    found, _ = await reader.state(content_item, command.content_id) if command.content_id else (None, 0)
    if not isinstance(found, ContentItem):
        return NamedContent()
    return NamedContent(version=found.content_version, is_active=isinstance(found, ActiveContentItem))


async def seat(reader: LoaderContext, state: Any, command: SetTarget, context: Context) -> Seat:
    """The team that the member sits in whom a target names."""
    if command.member is None:
        return Seat(is_known=False)
    if command.member == context.actor.member:
        return Seat(team=context.actor.team)
    found = reader.named.get(("member", command.member))
    return Seat(team=found.team) if found else Seat(is_known=False)


async def supported_deal(reader: LoaderContext, state: Any, command: AskForSupport, context: Context) -> SupportedDeal:
    """The deal that help is asked for, with its process. It stays as it is until that is recorded: one that ends
    meanwhile is asked for no more, and its end finds whatever was asked before."""
    found, _ = await reader.state(deal, command.deal_id)
    if not isinstance(found, Deal):
        return SupportedDeal()
    reader.rest_on(deal, command.deal_id)
    published, _ = await reader.state(process, found.process_id)
    return SupportedDeal(
        name=found.name,
        status=status_of(deal, found),
        stage=found.stage,
        process=version_of(published, found.process_version),
        owner=found.owner,
        team=found.team,
        account_id=found.account_id,
        others=await reader.claim_holders(ON_DEAL, str(command.deal_id)),
    )


async def quoted_deal(reader: LoaderContext, state: Any, command: Any, context: Context) -> QuotedDeal:
    """The deal that a quote is for. It stays as it is until what is decided by it is recorded."""
    deal_id = state.deal_id if isinstance(state, Quote) else command.deal_id
    found, _ = await reader.state(deal, deal_id)
    if not isinstance(found, Deal):
        return QuotedDeal()
    reader.rest_on(deal, deal_id)
    return QuotedDeal(
        name=found.name,
        status=status_of(deal, found),
        amount=found.amount,
        lines=found.lines,
        process_id=found.process_id,
        owner=found.owner,
        team=found.team,
        account_id=found.account_id,
        others=await reader.claim_holders(OF_DEAL, str(deal_id)),
        accepted=found.accepted_quote.id if found.accepted_quote else None,
    )


async def quotes_of_deal(reader: LoaderContext, state: Deal, command: Any, context: Context) -> QuotesOfDeal:
    """All quotes of a deal with their approvals, by the claim that each took when it was drafted."""
    ids = sorted(await reader.claim_holders(OF_DEAL, str(state.id)))
    quotes = tuple([each for each, _ in await asyncio.gather(*(reader.state(quote, each) for each in ids))])
    asked = [approval_id for each in quotes for approval_id in each.approvals]
    states = await asyncio.gather(*(reader.state(APPROVALS.family, each) for each in asked))
    return QuotesOfDeal(quotes=quotes, approvals={each: held for each, (held, _) in zip(asked, states, strict=True)})


_approvers_of_quote = approvers_by(POLICIES, QUOTES)


@reads(ORGANISATION)
async def approvers_of_chain(reader: LoaderContext, state: Any, command: Any, context: Context) -> Approvers:
    """Who may be asked by any chain of the deal's process, or of the policy of quotes."""
    if isinstance(state, Quote):
        found: Approvers = await _approvers_of_quote(reader, state, command, context)
        return found
    followed = await pinned_process(reader, state, command, context)
    return await approvers_of(reader, list(chains_of(followed.definition).values()), context.actor)


async def pending_approvals(reader: LoaderContext, state: Deal, command: Any, context: Context) -> PendingApprovals:
    """The approvals that the deal waits for; where no command asks, those that are to be taken back."""
    taken_back = (OVER,) if command is None else (OVER, WAITING)
    return await pending_of(reader, [each for each in state.submissions if each.status in taken_back])


async def pending_of(reader: LoaderContext, submissions: Sequence[Submission]) -> PendingApprovals:
    """The approvals that submissions wait for."""
    ids = [each.approval_id for each in submissions if each.status in {OVER, WAITING}]
    states = await asyncio.gather(*(reader.state(APPROVALS.family, each) for each in ids))
    return PendingApprovals(states={each: state for each, (state, _) in zip(ids, states, strict=True)})


async def all_approvals(reader: LoaderContext, state: Deal, command: Any, context: Context) -> AllApprovals:
    """Every approval of the deal, whatever came of it."""
    states = await asyncio.gather(*(reader.state(APPROVALS.family, each) for each in state.approvals))
    return AllApprovals(states=[each for each, _ in states])


async def support_of_deal(reader: LoaderContext, state: Deal, command: Any, context: Context) -> SupportOfDeal:
    """All that was asked on a deal, by the claim that each request took when it was recorded."""
    ids = sorted(await reader.claim_holders(ON_DEAL, str(state.id)))
    states = await asyncio.gather(*(reader.state(support_request, each) for each in ids))
    return SupportOfDeal(requests=tuple(each for each, _ in states))


async def visits_of_deal(reader: LoaderContext, state: Deal, command: Any, context: Context) -> VisitsOfDeal:
    """The stages that the contract of a deal has entered: their ids follow from the deal."""
    ids = [visit_of(state.id, begins) for begins in CONTRACT_MILESTONES]
    states = await asyncio.gather(*(reader.state(stage_visit, each) for each in ids))
    return VisitsOfDeal(visits=tuple(each for each, _ in states if isinstance(each, AnyStageVisit)))


@reads(KNOWN_CONTRACTS.name)
async def contract_of_deal(reader: LoaderContext, state: Deal, command: Any, context: Context) -> ContractOfDeal:
    """What is known of the deal's contract: it counts once contracts have told it."""
    return ContractOfDeal(is_signed=bool(await reader.fetch(KNOWN_CONTRACTS, SIGNED, [state.id])))


async def remarked_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> RemarkedProcess:
    """The versions of the process that somebody speaks of, or has spoken of."""
    spoken_of = state if hasattr(state, "process_id") else command
    found, _ = await reader.state(process, spoken_of.process_id)
    held = isinstance(found, FollowedProcess | RetiredProcess)
    return RemarkedProcess(versions=tuple(version.definition for version in found.versions) if held else ())


async def remarked_deal(reader: LoaderContext, state: Any, command: Any, context: Context) -> RemarkedDeal:
    """The version of a process that the deal of a remark follows."""
    found, _ = await reader.state(deal, command.deal_id) if command.deal_id else (None, 0)
    return RemarkedDeal(follows=(found.process_id, found.process_version) if isinstance(found, Deal) else None)


async def named_remark(reader: LoaderContext, state: Any, command: Any, context: Context) -> NamedRemark:
    """The remark that a suggestion came from."""
    found, _ = await reader.state(process_remark, command.remark_id) if command.remark_id else (None, 0)
    if not isinstance(found, NotedProcessRemark):
        return NamedRemark()
    return NamedRemark(process_id=found.process_id, by=found.owner)
