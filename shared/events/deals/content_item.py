"""Events of a piece of content: what sellers give or show to buyers, or work by, kept elsewhere (PROC-8)."""

from uuid import UUID

from shared.events.definition import event


@event("deals.content-item-added", aggregate="content-item")
class ContentItemAdded:
    """A solution, case, script or template can be used from now on, in its first version."""

    content_item_id: UUID
    key: str
    kind: str
    """solution, case, script or template."""
    title: str
    reference: str
    """Where it is: a link, or the id of a document."""
    buyer_stages: tuple[str, ...] = ()
    """The stages of the buyer that it is for; none: all of them."""
    touchpoint: str | None = None
    industries: tuple[str, ...] = ()
    """The industries that it is for; none: all of them."""
    language: str | None = None
    """The tag of its language (BCP 47); none: it is for every language."""


@event("deals.content-item-changed", aggregate="content-item")
class ContentItemChanged:
    """It has a further version, which is this."""

    content_item_id: UUID
    content_version: int
    kind: str
    title: str
    reference: str
    buyer_stages: tuple[str, ...] = ()
    touchpoint: str | None = None
    industries: tuple[str, ...] = ()
    language: str | None = None


@event("deals.content-item-retired", aggregate="content-item")
class ContentItemRetired:
    """It is not used on deals any more; what it was used for stays told."""

    content_item_id: UUID


@event("deals.content-item-reinstated", aggregate="content-item")
class ContentItemReinstated:
    """It is used again, in the version that it had."""

    content_item_id: UUID
