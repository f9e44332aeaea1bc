"""The routes of completeness: how much of what is asked for is known of a lead or an account, and how late it was
entered (DEAL-11)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from services.leads.domain.account import account
from services.leads.domain.account.state import ActiveAccount
from services.leads.domain.completeness import (
    account_completeness,
    is_entry_of_account,
    is_entry_of_lead,
    lead_completeness,
)
from services.leads.domain.lead import lead
from services.leads.domain.lead.state import OpenLead
from services.leads.domain.policies import NURTURING_EXIT, POLICIES, REQUIRED_FACTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.criteria import Completeness
from shared.domain.roles import READING
from shared.events.definition import Exact
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.service.entry_delay import entry_delay_of
from shared.service.policy_routes import in_force_today

router = handwritten()

NOTHING = Completeness(required=(), missing=())


@answer_shape
class LeadCompleteness:
    """How much of what is asked for is known of a lead, by names of facts alone. `version` is that of the lead."""

    id: UUID
    version: int
    share: Exact | None
    """Filled ÷ required facts, from 0 to 1; null where nothing is asked for, and once the lead has ended."""
    required: list[str]
    """The facts that the policy required-facts asks for, and those that the exit rule of nurturing judges by."""
    missing: list[str]
    entry_delay_days: int | None
    """For how many days on average work on the lead was entered late: recorded − occurred of its latest activities and
    notes of qualification; null without any."""


@answer_shape
class AccountCompleteness:
    """How much of what is asked for is known of an account, by names of facts alone. `version` is that of the
    account."""

    id: UUID
    version: int
    share: Exact | None
    """Filled ÷ required facts, from 0 to 1; null where nothing is asked for."""
    required: list[str]
    """The facts that the policy required-facts asks for."""
    missing: list[str]
    entry_delay_days: int | None
    """For how many days on average changes and contacts came in late: recorded − occurred of the latest; null without
    any. Only what is imported tells of other days, and of those before the account was known here nothing counts."""


@router.get(
    "/v1/leads/{id}/completeness",
    **operation(roles=READING, reads=(ORGANISATION,), answers=LeadCompleteness, problems=("not-found",)),
    name="get_lead_completeness",
)
async def completeness_of_lead(
    asking: CurrentActor, service: CurrentService, lead_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show how much of what is asked for is known of a lead, and how late it is entered.

    The policy required-facts asks, and the exit rule by which it may be converted.
    """
    held = await service.commands.seen(lead, lead_id, asking)
    required = await in_force_today(service, POLICIES, REQUIRED_FACTS)
    exits = await in_force_today(service, POLICIES, NURTURING_EXIT)
    found, team = NOTHING, held.state.team
    if isinstance(held.state, OpenLead):
        found = lead_completeness(held.state, required.of(team=team).document, exits.of(team=team).document)
    content = LeadCompleteness(
        id=lead_id,
        version=held.sequence,
        share=found.share,
        required=list(found.required),
        missing=list(found.missing),
        entry_delay_days=await entry_delay_of(service, lead, lead_id, held.sequence, is_entry_of_lead),
    )
    return answer(content, headers={"ETag": etag(held.sequence)})


@router.get(
    "/v1/accounts/{id}/completeness",
    **operation(roles=READING, reads=(ORGANISATION,), answers=AccountCompleteness, problems=("not-found",)),
    name="get_account_completeness",
)
async def completeness_of_account(
    asking: CurrentActor, service: CurrentService, account_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show how much of what is asked for by policy is known of an account, and how late it is entered."""
    held = await service.commands.seen(account, account_id, asking)
    required = await in_force_today(service, POLICIES, REQUIRED_FACTS)
    state: ActiveAccount = held.state
    found = account_completeness(state, required.of(team=state.team).document)
    content = AccountCompleteness(
        id=account_id,
        version=held.sequence,
        share=found.share,
        required=list(found.required),
        missing=list(found.missing),
        entry_delay_days=await entry_delay_of(service, account, account_id, held.sequence, is_entry_of_account),
    )
    return answer(content, headers={"ETag": etag(held.sequence)})
