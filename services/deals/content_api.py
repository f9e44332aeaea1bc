"""The route of the content that suits a deal (PROC-8)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from services.deals.domain.content_fit import Fitting, Occasion, fitting
from services.deals.domain.content_item import ContentKind
from services.deals.domain.deal import deal
from services.deals.domain.deal.state import AnyDeal
from services.deals.domain.process import process
from services.deals.domain.process.state import version_of
from services.deals.projections.content_items import ACTIVE, CONTENT_ITEM_PROJECTION
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.fields import LANGUAGE_TAG
from shared.domain.roles import READING
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation, words_of
from shared.http.json import answer_shape
from shared.projections.errors import InvalidQuery, invalid

router = handwritten()

INDUSTRY = "select industry from {view}.account where id = $1"
READS = (CONTENT_ITEM_PROJECTION.name, KNOWN_ACCOUNTS.name, ORGANISATION)

Asked = Annotated[
    str | None,
    Query(description="The language of the content (BCP 47). Default: the one that the request prefers."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveContent:
    """What can be used on deals, with what it is for."""

    id: UUID
    key: str
    kind: ContentKind
    title: str
    reference: str
    buyer_stages: Sequence[str]
    industries: Sequence[str]
    language: str | None
    content_version: int


@answer_shape
class SuitableContent:
    """A piece of content that suits the deal."""

    id: UUID
    key: str
    kind: ContentKind
    title: str
    reference: str
    """Where it is: a link, or the id of a document."""
    language: str | None
    """The tag of its language; null: it is for every language."""
    content_version: int
    fit: int
    """How many of the buyer's stage, the industry and the language it is made for, from 0 to 3."""
    uses: int
    """How often it was used on this deal, in whatever version."""


@answer_shape
class ContentForDeal:
    """What suits a deal, and by what that was judged."""

    buyer_stage: str | None
    """Where the buyer stands; else what the deal's stage mirrors. Null where neither is said: any suits."""
    industry: str | None
    """That of the deal, else of its account. Null where neither says it: any suits."""
    language: str
    items: list[SuitableContent]
    """At most 20, the best fit first, of equal ones what was used least on this deal, then by key."""


@router.get(
    "/v1/deals/{id}/content",
    **operation(roles=READING, reads=READS, answers=ContentForDeal, problems=("not-found",), worded=True),
)
async def content_for_deal(
    request: Request,
    asking: CurrentActor,
    service: CurrentService,
    deal_id: Annotated[UUID, Path(alias="id")],
    language: Asked = None,
) -> Response:
    """Show the content in use that suits a deal, the best first.

    By the stage in which the buyer stands, the industry of the customer, and the language. Content that says nothing of
    one of them is for all. One in German (`de`) suits who asks for that of Switzerland (`de-CH`), not the other way
    round.
    """
    if language is not None and not LANGUAGE_TAG.fullmatch(language):
        message = "A tag of a language (BCP 47) is like de, or pt-BR."
        raise InvalidQuery([invalid("language", "invalid-language", message)])
    held = await service.commands.seen(deal, deal_id, asking)
    words = words_of(request)
    occasion = await _occasion(service, held.state, language or words.language)
    rows = await service.projections.lookup(CONTENT_ITEM_PROJECTION, ACTIVE)
    used = Counter(each.content.content_id for each in held.state.activities if each.content)
    found = fitting([ActiveContent(**row) for row in rows], occasion, {row["key"]: used[row["id"]] for row in rows})
    shown = ContentForDeal(
        buyer_stage=occasion.buyer_stage,
        industry=occasion.industry,
        language=occasion.language,
        items=[_shown(each) for each in found],
    )
    return answer(shown, words=words)


async def _occasion(service: ServiceContext, state: AnyDeal, language: str) -> Occasion:
    """What is known of the deal: where its buyer stands, else what its stage mirrors; its industry, else that of its
    account."""
    followed = await service.commands.state(process, state.process_id)
    mirrored = version_of(followed.state, state.process_version).definition.stage(state.stage).buyer_stage
    industry = state.industry
    if industry is None and state.account_id is not None:
        rows = await service.projections.lookup(KNOWN_ACCOUNTS, INDUSTRY, state.account_id)
        industry = rows[0]["industry"] if rows else None
    return Occasion(buyer_stage=state.buyer.stage if state.buyer else mirrored, industry=industry, language=language)


def _shown(found: Fitting[ActiveContent]) -> SuitableContent:
    item = found.item
    return SuitableContent(
        id=item.id,
        key=item.key,
        kind=item.kind,
        title=item.title,
        reference=item.reference,
        language=item.language,
        content_version=item.content_version,
        fit=found.fit,
        uses=found.uses,
    )
