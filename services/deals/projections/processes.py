"""The list of processes, each as its version in force has it."""

from datetime import datetime
from uuid import UUID

from services.deals.domain.process import process
from shared.domain.roles import EVERYBODY
from shared.events.deals.process import ProcessPublished
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.lists import Listing, equals
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProcessRow:
    """A process in the list, as its version in force has it."""

    id: UUID
    version: int
    """The version in force for new deals."""
    key: str
    name: str
    stages: list[str]
    """The keys of its stages, in order."""
    published_at: datetime
    updated_at: datetime


def _published(fact: Envelope[ProcessPublished], row: Row) -> Row:
    published = fact.data.definition
    return {
        "version": fact.data.process_version,
        "key": published.key,
        "name": published.name,
        "stages": [stage.key for stage in published.stages],
        "published_at": fact.occurred_at,
    }


PROCESS = Table(
    name="process",
    row=ProcessRow,
    events=process.events,
    changes={ProcessPublished: _published},
)

PROCESS_PROJECTION = Projection(
    name="processes",
    version=3,
    ddl=PROCESS.ddl,
    indices=PROCESS.index_ddl,
    apply=PROCESS.apply,
    events=tuple(PROCESS.events),
)

PROCESSES = Listing(
    name="processes",
    projection=PROCESS_PROJECTION,
    table="process",
    item=ProcessRow,
    key="id",
    filters={"key": equals("key")},
    sorts=("key", "published_at"),
    default_sort="key",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
