"""The queries to what conformance counts: cases of conduct, and of work that fell due, each in its own read model."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.conformance.figures import Sums, orders_of, summed
from services.forecast.conformance.model import CONDUCT
from services.forecast.counting import cases
from services.forecast.counting.cases import CasePlace, FoundCase
from services.forecast.counting.marks import Kind
from services.forecast.execution.queries import SORTS, counted_work, work_behind
from services.forecast.processes.queries import Stage, StageKey, stages
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.read_snapshot import ReadSnapshot

READ_MODELS = ("conformance", "nodes")
"""The read models that are counted."""


async def counted_cases(
    reading: ReadSnapshot,
    asked: Question,
    company: Company,
    period: Period,
    *,
    process_id: UUID | None = None,
    version: int | None = None,
) -> Mapping[Kind, int]:
    """How many cases of each kind a period has up to the instant asked about, as they stood then."""
    conduct = await cases.counted_cases(
        CONDUCT, reading("conformance"), asked, company, period, process_id=process_id, version=version
    )
    work = await counted_work(reading("nodes"), asked, company, period, process_id=process_id, version=version)
    return {**conduct, **work}


async def stages_worked(
    reading: ReadSnapshot, asked: Question, company: Company, period: Period
) -> list[tuple[StageKey, Stage | None, Sums]]:
    """Each stage that has any case in a period, as it is known, with its figures; stages in the order of their
    processes, then what no process told yet."""
    known = {stage.key: stage for stage in await stages(reading("processes"))}
    _, sums = summed(await counted_cases(reading, asked, company, period), orders_of(known.values()))
    listed = [*(key for key in known if key in sums), *sorted(sums.keys() - known.keys())]
    return [(key, known.get(key), sums[key]) for key in listed]


async def cases_behind(
    reading: ReadSnapshot,
    asked: Question,
    company: Company,
    period: Period,
    kinds: Sequence[Kind],
    *,
    after: CasePlace | None,
    enough: int,
) -> list[FoundCase]:
    """The cases of some kinds of one figure that come after a place, as many as are enough. No figure counts both
    conduct and work."""
    if any(kind.sort in SORTS for kind in kinds):
        return await work_behind(reading("nodes"), asked, company, period, kinds, after=after, enough=enough)
    db = reading("conformance")
    return await cases.cases_behind(CONDUCT, db, asked, company, period, kinds=kinds, after=after, enough=enough)
