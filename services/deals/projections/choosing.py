"""What the choice of a process rests on: what is known of a deal as it begins, and the version that it follows then
(DEAL-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.deals.domain.choice import NAMED, ChosenProcess, OpeningFacts, asks_for, choose
from services.deals.domain.deal import deal
from services.deals.domain.deal.history import ImportDeal
from services.deals.domain.deal.opening import OpenConvertedDeal, OpenNewDeal, stated_amount
from services.deals.domain.deal.state import Deal
from services.deals.domain.policies import POLICIES
from services.deals.domain.process import process
from services.deals.domain.process.state import FollowedProcess, NewDeal, Process, newest, version_for
from services.deals.domain.product import Catalogue
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.state import OutsideProcess, StageVisit, visit_of
from services.deals.domain.stage_visit.visiting import BeginContractStage, BeginLeadStage
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import catalogue, conversion_of, pinned_process
from shared.commands.loaders import LoaderContext, LookUp, reads
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.hierarchy import line_of, teams_above
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.policies import provided_by
from shared.domain.aggregate import status_of
from shared.domain.context import Context
from shared.domain.criteria import Facts
from shared.domain.policy import InForce
from shared.events.deals.policy import OpeningRules
from shared.events.money import Money
from shared.events.process import LEAD_MILESTONES

READS = (EXCHANGE_RATE_PROJECTION.name, ORGANISATION, KNOWN_ACCOUNTS.name, DEAL_PROJECTION.name)
"""The projections in which it is looked up what is known of a deal as it begins."""

PROFILES = "select id, industry, country, size from {view}.account where id = any($1)"
FIRST_WON = """
select distinct on (account_id) account_id, id, closed_on from {view}.deal
 where account_id = any($1) and status = 'won' order by account_id, closed_on, id
"""
"""The first deal that each account won, of those that stand."""

_opening_rules = provided_by(POLICIES)[InForce[OpeningRules]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a deal says of itself as it begins, on a day."""

    deal_id: UUID
    on: date
    amount: Money | None
    """Nothing is as good as not said."""
    source: str | None
    industry: str | None
    country: str | None = None
    size: int | None = None
    team: UUID | None
    account_id: UUID | None
    families: frozenset[str] | None
    """Of its products; None without any."""
    from_lead: bool


@reads(*READS)
async def chosen_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> ChosenProcess:
    """The process that a new deal follows: the one that is named, else the one that the ordered rules choose. What is
    told of the past is told of what was not known then, so nothing but its rule is recorded."""
    named: UUID | None = getattr(command, "process_id", None)
    held = await _followed_process(reader, named) if named else None
    counts = (await _opening_rules(reader, state, command, context)).of()
    is_past = isinstance(command, ImportDeal)
    facts = OpeningFacts(known={})
    if not is_past or (held is None and counts.document.rules):
        beginning = await _beginning(reader, state, command, context)
        (facts,) = await facts_of(reader.fetch, [beginning], counts.document, context.company.currency)
    choice = choose(counts.document, facts)
    # What is named and not there is refused as a reference; the handler is run by what would be chosen without it.
    found = held or await _followed_process(reader, choice.process_id)
    followed = await _version_followed(reader, found, command, context) if found else None
    rule = NAMED if held else choice.rule
    if is_past:
        return ChosenProcess(process=followed, rule=rule)
    return ChosenProcess(
        process=followed,
        rule=rule,
        segment=choice.segment,
        customer=facts.customer,
        rules_version=counts.version,
        unknown=() if held else choice.unknown,
    )


async def _beginning(reader: LoaderContext, state: Any, command: Any, context: Context) -> Beginning:
    """What a command says of the deal that it opens."""
    listed = Catalogue(products={})
    if not isinstance(command, OpenConvertedDeal):
        listed = await catalogue(reader, state, command, context)
    return Beginning(
        deal_id=context.aggregate_id,
        on=command.on if isinstance(command, ImportDeal) else context.today,
        amount=stated_amount(command, listed, context) if isinstance(command, OpenNewDeal) else command.amount,
        source=command.source,
        industry=command.industry,
        country=getattr(command, "country", None),
        size=getattr(command, "company_size", None),
        team=command.team or context.actor.team,
        account_id=command.account_id,
        families=families_of(listed),
        from_lead=getattr(command, "lead_id", None) is not None,
    )


def families_of(listed: Catalogue) -> frozenset[str] | None:
    """The families of some products; None where they are of none."""
    return frozenset(each.family for each in listed.products.values() if each.family is not None) or None


async def facts_of(
    look_up: LookUp, beginnings: Sequence[Beginning], document: OpeningRules, currency: str
) -> list[OpeningFacts]:
    """What is known of deals as they begin, as far as rules ask for it and deals record it: what of other services is
    known by now, and of deals and rates what was so on their day."""
    accounts = sorted({each.account_id for each in beginnings if each.account_id})
    profiles: dict[UUID, Any] = {}
    won: dict[UUID, Any] = {}
    if accounts:
        won = {row["account_id"]: row for row in await look_up(DEAL_PROJECTION, FIRST_WON, accounts)}
        if any(asks_for(document, fact) for fact in ("industry", "country", "size")):
            profiles = {row["id"]: row for row in await look_up(KNOWN_ACCOUNTS, PROFILES, accounts)}
    above = await teams_above(look_up) if asks_for(document, "teams") else {}
    worth = await _worth(look_up, beginnings, currency) if asks_for(document, "amount") else {}
    return [
        OpeningFacts(
            known={
                **_said(each, above),
                **_of_customer(each, profiles.get(each.account_id) if each.account_id else None),
                "amount": worth.get(each.deal_id),
                "customer": "returning" if _has_won(each, won) else "new",
            },
            incomparable=frozenset({"amount"} if each.deal_id in worth and worth[each.deal_id] is None else ()),
        )
        for each in beginnings
    ]


def _said(beginning: Beginning, above: Mapping[UUID, UUID]) -> Facts:
    return {
        "currency": beginning.amount.currency if beginning.amount else None,
        "source": beginning.source,
        "team": str(beginning.team) if beginning.team else None,
        "teams": frozenset(map(str, line_of(beginning.team, above))) or None,
        "account": str(beginning.account_id) if beginning.account_id else None,
        "families": beginning.families,
        "from_lead": beginning.from_lead,
    }


def _of_customer(beginning: Beginning, profile: Any) -> Facts:
    """What is known of the customer: the industry as the deal says, else as their account does; what only that tells,
    as the account does, else as the lead did, which may come here before its account."""
    of_account = profile or {"industry": None, "country": None, "size": None}
    return {
        "industry": beginning.industry or of_account["industry"],
        "country": of_account["country"] or beginning.country,
        "size": beginning.size if of_account["size"] is None else of_account["size"],
    }


def _has_won(beginning: Beginning, won: Mapping[UUID, Any]) -> bool:
    """Whether the account had won another deal until the day on which this one begins."""
    first = won.get(beginning.account_id) if beginning.account_id else None
    return first is not None and first["id"] != beginning.deal_id and first["closed_on"] <= beginning.on


async def _worth(look_up: LookUp, beginnings: Sequence[Beginning], currency: str) -> dict[UUID, Decimal | None]:
    """What deals that say an amount are worth in the company's currency on their day; None without a rate."""
    stated = [(each, each.amount) for each in beginnings if each.amount and each.amount.amount]
    worth: dict[UUID, Decimal | None] = {}
    for on in sorted({each.on for each, _ in stated}):
        of_day = [(each, amount) for each, amount in stated if each.on == on]
        rates = await conversion_of(look_up, [amount.currency for _, amount in of_day], currency, on)
        worth |= {each.deal_id: rates.worth(amount) for each, amount in of_day}
    return worth


async def _followed_process(reader: LoaderContext, process_id: UUID) -> FollowedProcess | None:
    held, _ = await reader.state(process, process_id)
    return held if isinstance(held, FollowedProcess) else None


async def _version_followed(
    reader: LoaderContext, held: FollowedProcess, command: Any, context: Context
) -> Process | None:
    """The version that a new deal follows; of what is told of the past, the one that was published last."""
    if isinstance(command, ImportDeal):
        return newest(held)
    team = command.team or context.actor.team
    above = await teams_above(reader.fetch) if held.asks_for_teams else {}
    teams = frozenset(line_of(team, above))
    return version_for(held, NewDeal(id=context.aggregate_id, on=context.today, teams=teams, industry=command.industry))


@reads(ORGANISATION)
async def outside_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> OutsideProcess:
    """The version of a process by which a lead or a contract stands in a stage: once it does that stays; before, a
    contract follows that of its deal, and a lead the one that a new deal would."""
    if isinstance(state, StageVisit):
        return OutsideProcess(process=await pinned_process(reader, state, command, context))
    if isinstance(command, BeginLeadStage):
        return await _process_of_lead(reader, command, context)
    if isinstance(command, BeginContractStage):
        found, _ = await reader.state(deal, command.deal_id)
        if isinstance(found, Deal):
            # What changes about the deal meanwhile would not find the visit any more.
            reader.rest_on(deal, command.deal_id)
            return OutsideProcess(
                process=await pinned_process(reader, found, command, context),
                name=found.name,
                status=status_of(deal, found),
                owner=found.owner,
                team=found.team,
                account_id=found.account_id,
            )
    return OutsideProcess()


async def _process_of_lead(reader: LoaderContext, command: BeginLeadStage, context: Context) -> OutsideProcess:
    """The version that deals follow to which no rule applies, for what rules ask for is known of deals only; and where
    the lead was before, which says what it is called."""
    rules = await _opening_rules(reader, None, command, context)
    held = await _followed_process(reader, rules.of().document.otherwise)
    if held is None or not any(version.definition.lead_stages for version in held.versions):
        return OutsideProcess()
    above = await teams_above(reader.fetch) if held.asks_for_teams else {}
    teams = frozenset(line_of(command.team, above))
    new = NewDeal(id=command.lead_id, on=context.today, teams=teams, industry=command.industry)
    before = {each: (await reader.state(stage_visit, visit_of(command.lead_id, each)))[0] for each in LEAD_MILESTONES}
    known = {each: visit for each, visit in before.items() if isinstance(visit, StageVisit)}
    name = next((visit.name for visit in known.values()), "")
    return OutsideProcess(process=version_for(held, new), name=name, begun=frozenset(known))
