"""Pieces of content by reference: solutions, cases, scripts and templates, in versions (PROC-8)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.notes import scheme_faults
from services.deals.domain.journey import BuyerStage
from shared.domain.aggregate import Aggregate, Claim, Decision, carried
from shared.domain.context import Context
from shared.domain.criteria import misspelt, repeated
from shared.domain.fields import LANGUAGE_TAG, NOT_BLANK, Name
from shared.domain.merge_patch import absent, given
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import EVERYBODY, Reach, Role, permission
from shared.events.criteria import Key
from shared.events.deals.content_item import (
    ContentItemAdded,
    ContentItemChanged,
    ContentItemReinstated,
    ContentItemRetired,
)
from shared.events.definition import value

ContentKind = Literal["solution", "case", "script", "template"]
"""What a piece of content is."""

DocumentReference = Annotated[str, MinLen(1), MaxLen(500), NOT_BLANK]
"""A link (http or https), or the id of a document."""
Language = Annotated[str, MinLen(2), MaxLen(35)]
BuyerStages = Annotated[tuple[BuyerStage, ...], MaxLen(7)]
Industries = Annotated[tuple[Name, ...], MaxLen(50)]

KEEPING_CONTENT = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.MARKETING: Reach.ALL})


@value
class NoContentItem:
    """Nothing was added under this id."""


@value
class ContentItem:
    """What every piece of content carries, used or retired."""

    id: UUID
    key: str
    kind: ContentKind
    title: str
    reference: str
    buyer_stages: tuple[str, ...]
    touchpoint: str | None
    industries: tuple[str, ...]
    language: str | None
    content_version: int


@value
class ActiveContentItem(ContentItem):
    """It can be used on deals."""


@value
class RetiredContentItem(ContentItem):
    """It is used no more."""


TOLD = ("kind", "title", "reference", "buyer_stages", "touchpoint", "industries", "language")
"""What a version of it says."""

content_item = Aggregate("content-item", plural="content-items", start=NoContentItem, readers=EVERYBODY)


@value
class AddContentItem:
    """Something that sellers give or show to buyers, or work by; it stays where it is."""

    key: Key
    """By what processes name it as a template; it belongs to one piece of content for ever."""
    kind: ContentKind
    title: Name
    reference: DocumentReference
    """Where it is: a link (http or https), or the id of a document."""
    buyer_stages: BuyerStages = ()
    """The stages of the buyer that it is for; default: all of them."""
    touchpoint: Name | None = None
    """Where the buyer meets it."""
    industries: Industries = ()
    """The industries that it is for, as accounts and deals have them; default: all of them."""
    language: Language | None = None
    """The tag of its language (BCP 47); default: it is for every language."""

    example: ClassVar[dict[str, Any]] = {
        "key": "press-line-case",
        "kind": "case",
        "title": "A press line that stands still no more",
        "reference": "https://files.example/press-line-case.pdf",
        "buyer_stages": ["evaluation", "decision"],
        "touchpoint": "Visit of a reference customer",
        "industries": ["Automotive"],
        "language": "en",
    }


@value
class UpdateContentItem:
    """What is different in its next version; what is left out stays as it is."""

    kind: ContentKind = absent()
    title: Name = absent()
    reference: DocumentReference = absent()
    buyer_stages: BuyerStages = absent()
    touchpoint: Name | None = absent()
    industries: Industries = absent()
    language: Language | None = absent()

    example: ClassVar[dict[str, Any]] = {"reference": "https://files.example/press-line-case-2.pdf"}


@value
class RetireContentItem:
    """It is not used any more."""

    example: ClassVar[dict[str, Any]] = {}


@value
class ReinstateContentItem:
    """It is used again."""

    example: ClassVar[dict[str, Any]] = {}


@content_item.decides(allow=KEEPING_CONTENT)
def add(state: NoContentItem, command: AddContentItem, context: Context) -> Decision:
    """Add a solution, case, script or template by its reference. Its key is taken from then on."""
    told = {name: getattr(command, name) for name in TOLD}
    faults = [*misspelt([("key", command.key)]), *_faults(told)]
    refuse_all("invalid-content", "It cannot be added like this.", faults)
    return [ContentItemAdded(content_item_id=context.aggregate_id, key=command.key, **told)]


@content_item.decides(allow=KEEPING_CONTENT, method="PATCH")
def update(state: ActiveContentItem, command: UpdateContentItem) -> Decision:
    """Make its next version: whatever changes counts it up by one. Uses keep the version that they were of."""
    before = {name: getattr(state, name) for name in TOLD}
    told = before | given(command)
    refuse_all("invalid-content", "It cannot be changed like this.", list(_faults(told)))
    if told == before:
        return []
    return [ContentItemChanged(content_item_id=state.id, content_version=state.content_version + 1, **told)]


@content_item.decides(allow=KEEPING_CONTENT)
def retire(state: ActiveContentItem, command: RetireContentItem) -> Decision:
    """Take it out of use. What it was used for stays as it is."""
    return [ContentItemRetired(content_item_id=state.id)]


@content_item.decides(allow=KEEPING_CONTENT)
def reinstate(state: RetiredContentItem, command: ReinstateContentItem) -> Decision:
    """Have it used again, in the version that it had."""
    return [ContentItemReinstated(content_item_id=state.id)]


@content_item.already
def is_added(state: ActiveContentItem | RetiredContentItem, command: AddContentItem) -> bool:
    return all(getattr(state, name) == getattr(command, name) for name in ("key", *TOLD))


@content_item.already
def is_retired(state: RetiredContentItem, command: RetireContentItem) -> bool:
    return True


@content_item.already
def is_reinstated(state: ActiveContentItem, command: ReinstateContentItem) -> bool:
    return True


@content_item.evolves
def added(state: NoContentItem, event: ContentItemAdded) -> ActiveContentItem:
    told = {name: getattr(event, name) for name in TOLD}
    return ActiveContentItem(id=event.content_item_id, key=event.key, content_version=1, **told)


@content_item.evolves
def changed(state: ActiveContentItem, event: ContentItemChanged) -> ActiveContentItem:
    told = {name: getattr(event, name) for name in TOLD}
    return replace(state, content_version=event.content_version, **told)


@content_item.evolves
def retired(state: ActiveContentItem, event: ContentItemRetired) -> RetiredContentItem:
    return RetiredContentItem(**carried(state, ContentItem))


@content_item.evolves
def reinstated(state: RetiredContentItem, event: ContentItemReinstated) -> ActiveContentItem:
    return ActiveContentItem(**carried(state, ContentItem))


@content_item.claims
def key_taken(state: ActiveContentItem | RetiredContentItem) -> list[Claim]:
    return [Claim(kind="content-key", key=state.key)]


def _faults(told: dict[str, Any]) -> Iterator[Reason]:
    yield from scheme_faults(told["reference"])
    for name in ("buyer_stages", "industries"):
        named: Sequence[str] = told[name]
        yield from repeated([(f"{name}.{index}", each) for index, each in enumerate(named)])
    if told["language"] is not None and not LANGUAGE_TAG.fullmatch(told["language"]):
        message = "A tag of a language (BCP 47) is like de, or pt-BR."
        yield Reason(code="invalid-language", message=message, field="language")
