"""Which piece of content an activity was about: sent, opened or attended (PROC-8)."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.domain.rejection import Rejected
from shared.events.deals.deal import ContentUsed

ContentUse = Literal["sent", "opened", "attended"]
"""What was done with it: we sent it, the customer opened it, or they were there as it was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedContent:
    """The piece of content that a command names, as a handler is given it; of none no version."""

    version: int | None = None
    is_active: bool = True


def content_of(
    content_id: UUID | None, use: ContentUse | None, content: NamedContent, before: ContentUsed | None = None
) -> ContentUsed | None:
    """What an activity used, in the version of today; a correction that names the same one keeps the version that it
    had, also of one that is retired. Raises Rejected."""
    if content_id is None:
        if use is not None:
            raise Rejected("without-content", "Say which content that was.", field="content_use")
        return None
    if before is not None and before.content_id == content_id:
        return ContentUsed(content_id=content_id, content_version=before.content_version, use=use or "sent")
    if content.version is None:
        raise Rejected("unknown-content-item", "There is no such content.", field="content_id")
    if not content.is_active:
        raise Rejected("retired-content", "It is retired: name what is used today.", field="content_id")
    return ContentUsed(content_id=content_id, content_version=content.version, use=use or "sent")


def is_that_use(used: ContentUsed | None, content_id: UUID | None, use: ContentUse | None) -> bool:
    """Whether a command tells the same use, of whatever version."""
    if used is None or content_id is None:
        return used is None and content_id is None
    return (used.content_id, used.use) == (content_id, use or "sent")
