"""Queries to the read model of decisions: what waits for whoever asks, what they submitted, what they see (CON-2)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from asyncpg import Record

from services.forecast.asking.question import Question
from shared.projections.projection import ProjectionDatabase

NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for the due time of what has none."""

WITHIN_REACH = "(me.sees_all or a.team = any(me.teams) or a.owner = me.member)"
# As commands are authorised: who is asked by a role sees it by whose it is, or as one of those whom it names. Whoever
# submitted it is refused by subject or member, and so are its authors and whoever decided the step once.
WAITS_FOR_ME = f"""coalesce(
    exists (select from {{view}}.asked
             where asked.approval_id = a.approval_id and (asked.role = any(me.roles) or asked.member = me.member))
    and ({WITHIN_REACH} or me.member = any(a.known_to))
    and (a.may_decide_own
         or not (a.submitter = me.subject or coalesce(a.submitter_member = me.member, false)
                 or coalesce(me.member = any(a.authors), false)))
    and not exists (select from {{view}}.decided
                     where decided.approval_id = a.approval_id and decided.spent
                       and (decided.subject = me.subject or decided.member = me.member)), false
)"""  # noqa: S608 - the words are ours
# A subject may be given to somebody else later on: where members are known, they say who it was.
THEIRS = "({member} = me.member or ({subject} = me.subject and ({member} is null or me.member is null)))"
SUBMITTED_BY_ME = THEIRS.format(subject="a.submitter", member="a.submitter_member")
DECIDED_OR_SUBMITTED_BY_ME = f"""a.approval_id in (
    select approval_id from {{view}}.approval a where {SUBMITTED_BY_ME}
    union all
    select approval_id from {{view}}.decided d where {THEIRS.format(subject="d.subject", member="d.member")}
)"""  # noqa: S608 - the words are ours

FOUND = """
with me as (
    select $1::boolean as sees_all, $2::uuid[] as teams, $3::uuid as member, $4::text as subject, $5::text[] as roles
), found as (
    select a.*, {waits_for_me} as waits_for_me, a.escalated or coalesce(a.due < $6, false) as overdue
      from {view}.approval a cross join me
     where a.state = $7 and ($8::text[] is null or a.subject_kind = any($8)) and {chosen}
), counted as (
    select * from found where overdue or not $9
)
"""
PAGE = """
select * from counted where (coalesce(due, $10), since, approval_id) {after} ($11, $12, $13)
 order by coalesce(due, $10) {order}, since {order}, approval_id {order} limit $14
"""
TOTALS = """
select subject_kind, count(*) as count, count(*) filter (where overdue) as overdue
  from counted group by subject_kind order by subject_kind
"""
ASKED = "select approval_id, role, member from {view}.asked where approval_id = any($1) order by approval_id, place"

RowPlace = tuple[datetime, datetime, UUID]
"""Where an approval stands in the list: when it is due, since when it waits or when it ended, and its id."""
FIRST: RowPlace = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), UUID(int=0))
LAST: RowPlace = (NEVER, NEVER, UUID(int=2**128 - 1))
WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which approvals are asked about: in a state, of these kinds of subjects (None: of all), only what is overdue, of
    whoever asks or within their reach. Without either: what waits for them, or what they decided or submitted."""

    state: str = WAITING
    kinds: Sequence[str] | None = None
    overdue: bool = False
    submitted_by_me: bool = False
    within_reach: bool = False

    @property
    def condition(self) -> str:
        """What rows have to meet beside state and kind."""
        narrowed = {SUBMITTED_BY_ME: self.submitted_by_me, WITHIN_REACH: self.within_reach}
        given = [condition for condition, is_given in narrowed.items() if is_given]
        usual = WAITS_FOR_ME if self.state == WAITING else DECIDED_OR_SUBMITTED_BY_ME
        return " and ".join(given or [usual])


async def decisions(
    db: ProjectionDatabase, asked: Question, choice: Choice, after: RowPlace | None, enough: int
) -> tuple[list[Record], list[Record]]:
    """The approvals that come after a place, as many as are enough, and how many there are by kind of subject. What
    waits is in the order in which it is due, what ended has the newest first."""
    who = (*asked.scope[:3], asked.asker.subject, sorted(asked.asker.roles), asked.as_of)
    arguments = (*who, choice.state, choice.kinds, choice.overdue)
    waits = choice.state == WAITING
    found = FOUND.replace("{waits_for_me}", WAITS_FOR_ME).replace("{chosen}", choice.condition)
    page = PAGE.replace("{after}", ">" if waits else "<").replace("{order}", "asc" if waits else "desc")
    begins = after or (FIRST if waits else LAST)
    rows = await db.fetch(found + page, *arguments, NEVER, *begins, enough)
    return rows, await db.fetch(found + TOTALS, *arguments)


def place_of(row: Record) -> RowPlace:
    """Where an approval stands in the list."""
    return row["due"] or NEVER, row["since"], row["approval_id"]


async def asked_of(db: ProjectionDatabase, approvals: Collection[UUID]) -> Mapping[UUID, Sequence[Record]]:
    """For whom approvals wait: a role or a member in each row."""
    found: dict[UUID, list[Record]] = defaultdict(list)
    for row in await db.fetch(ASKED, list(approvals)):
        found[row["approval_id"]].append(row)
    return found
