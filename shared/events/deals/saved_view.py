"""Events of a saved view: a list or a board that somebody keeps, by its query (DEAL-3). Its name and query may name
people, so they stand beside the log."""

from uuid import UUID

from shared.events.definition import AsKnown, FreeText, event


@event("deals.view-saved", aggregate="saved-view")
class ViewSaved:
    """Somebody keeps a list or a board."""

    saved_view_id: UUID
    name: FreeText[str] = ""
    shows: str
    """board, or the name of a list."""
    query: FreeText[str] = ""
    """The parameters, as they stand in the address."""
    shared_with: str
    """me, team or everybody."""
    saved_by: UUID
    """The member who keeps it."""
    owner: UUID | None
    """Them as long as it is theirs alone; nobody once it is shared."""
    team: UUID | None
    """Of what is shared with a team, that team."""


@event("deals.view-changed", aggregate="saved-view")
class ViewChanged:
    """It is called something else, or shows something else."""

    saved_view_id: UUID
    name: FreeText[str] = ""
    shows: str
    query: FreeText[str] = ""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.view-shared", aggregate="saved-view")
class ViewShared:
    """Others see it as well, or no longer."""

    saved_view_id: UUID
    shared_with: str
    """me, team or everybody."""
    owner: UUID | None
    team: UUID | None


@event("deals.view-withdrawn", aggregate="saved-view", erases="saved_view_id")
class ViewWithdrawn:
    """It is kept no longer, and what it said is gone (DATA-4)."""

    saved_view_id: UUID
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
