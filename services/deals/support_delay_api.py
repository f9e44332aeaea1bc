"""The route of what departments hold up: what waits for each, what is late there, and for how many days (DEAL-12)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from annotated_types import Ge, Le
from fastapi import Query, Response

from services.deals.projections.support_requests import SUPPORT_REQUEST_PROJECTION, SUPPORT_REQUESTS, WAITS
from shared.domain.roles import READING
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.query_parameters import SPELLED_WHOLE
from shared.projections.list_pages import seen

router = handwritten()

BY_DEPARTMENT = f"""
select department,
       count(*) filter (where {WAITS}) as open,
       count(*) filter (where overdue) as late,
       coalesce(sum(days_late), 0)::bigint as days_late
  from seen where ended_on is null or ended_on >= {{since}}
 group by department order by days_late desc, late desc, open desc, department
"""  # noqa: S608 - nothing in it was given
BY_WEEK = """
select department, week as begins, sum(asked)::bigint as asked, sum(delivered)::bigint as delivered,
       sum(delivered_late)::bigint as delivered_late, sum(days_late)::bigint as days_late
  from (select department, date_trunc('week', asked_on)::date as week, 1 as asked, 0 as delivered, 0 as delivered_late,
               0 as days_late
          from seen where asked_on >= {since}
        union all
        select department, date_trunc('week', ended_on)::date, 0, (status = 'delivered')::int,
               (status = 'delivered' and days_late > 0)::int, days_late
          from seen where ended_on >= {since}) as told
 group by department, week order by week desc, department
"""


@answer_shape
class DepartmentDelay:
    """What waits for a department, and for how long deals were held up by it."""

    department: str
    open: int
    """Requests that wait for it: asked, or accepted."""
    late: int
    """Those of them whose due day has passed."""
    days_late: int
    """Working days for which deals were held up: of what is not done yet, up to today, and of what ended since the
    first of the weeks. A deal that waits for two requests is counted for each."""


@answer_shape
class DepartmentWeek:
    """What a department was asked and gave in a week."""

    begins: date
    """Its Monday."""
    department: str
    asked: int
    """Requests that were asked, or asked again last, in that week."""
    delivered: int
    delivered_late: int
    """Those of them that came after their due day."""
    days_late: int
    """Working days for which what was delivered or withdrawn in that week had held up its deals."""


@answer_shape
class SupportDelay:
    """What departments hold up, of the deals that whoever asks sees."""

    as_of: date
    since: date
    """The Monday of the first week."""
    departments: list[DepartmentDelay]
    """The one that holds up most first."""
    weeks: list[DepartmentWeek]
    """The last week first; without those in which nothing happened."""


Weeks = Annotated[
    Annotated[int, Ge(1), Le(53), SPELLED_WHOLE], Query(description="How many weeks back, with the running one.")
]


@router.get(
    "/v1/support-delay",
    **operation(roles=READING, reads=(SUPPORT_REQUEST_PROJECTION.name,), answers=SupportDelay),
)
async def support_delay(asking: CurrentActor, service: CurrentService, weeks: Weeks = 8) -> Response:
    """Show by department what is open and late, how long it held up deals, and that by weeks.

    Days are working days from the due day to the delivery, as each request says them (`days_late` of
    `/v1/support-requests`). Reps see what was asked on their own deals, managers on those of their teams.
    """
    company = service.settings.company
    today = company.day(service.clock.now())
    since = today - timedelta(days=today.weekday(), weeks=weeks - 1)
    rows, arguments = seen(SUPPORT_REQUESTS, asking, today, company.calendar)

    async with service.projections.reading([SUPPORT_REQUEST_PROJECTION.name]) as snapshot:

        async def summed(statement: str) -> Sequence[Any]:
            counted = statement.format(since=f"${len(arguments) + 1}")
            found: Sequence[Any] = await snapshot(SUPPORT_REQUEST_PROJECTION).fetch(
                f"with seen as ({rows}) {counted}", *arguments, since
            )
            return found

        departments, weekly = await summed(BY_DEPARTMENT), await summed(BY_WEEK)
    return answer(
        SupportDelay(
            as_of=today,
            since=since,
            departments=[DepartmentDelay(**row) for row in departments],
            weeks=[DepartmentWeek(**row) for row in weekly],
        )
    )
