"""What waits for the decision of whoever asks, in one list over all services, over HTTP (CON-2)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import MaxLen
from fastapi import Depends, Query, Response

from services.forecast.accounts.queries import account_names
from services.forecast.asking.answers import money
from services.forecast.asking.parameters import PresentQuery, QueryContext
from services.forecast.asking.wording import role_title
from services.forecast.decisions.queries import Choice, RowPlace, asked_of, decisions, place_of
from shared.domain.roles import EVERYBODY, Role
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of
from shared.http.query_parameters import Flag
from shared.projections.list_queries import MAX_VALUES

router = handwritten("decisions")

APPROVALS_AT = {"contracts": "contract-approvals", "deals": "deal-approvals"}
"""Where the approvals of each service are found; a law holds it to what the services say."""
SUBJECTS_AT = {"contract": "contracts", "deal": "deals", "quote": "quotes"}
"""Where the things that are approved are found, by their kinds."""

State = Literal["waiting", "granted", "returned", "recalled"]


@answer_shape
class AskedApprover:
    """Somebody whose decision it takes: whoever holds a role, or a member; `name` says it in words."""

    role: Annotated[str, words(Role)] | None
    member: UUID | None
    name: str | None


@answer_shape
class ListedDecision:
    """An approval: what it is about, who submitted it, for whom it waits, and until when.

    It is decided at its `address`, like `POST {address}/approve`; its `commands` are listed there too.
    """

    id: UUID
    address: str
    service: str
    state: State
    subject_kind: str
    """What is to be approved, like contract or deal."""
    subject_id: UUID
    subject_address: str
    name: str
    part: str | None
    """What of it, where that is not all of it: a gate of the deal, like "exit of quotation"."""
    amount: Money | None
    account_id: UUID | None
    account_name: str | None
    owner: UUID | None
    owner_name: str | None
    team: UUID | None
    team_name: str | None
    step: str | None
    """The key of the step that waits; null once it ended."""
    step_name: str | None
    submitter: str
    """The subject of the tokens of whoever submitted it."""
    submitter_member: UUID | None
    submitter_name: str | None
    since: datetime
    """When the step that waits began, or when it ended."""
    age_days: int
    """Days since then, on the company clock."""
    age_working_days: int
    """Those of them that are working days by the company's calendar; `due` goes by working hours."""
    due: datetime | None
    overdue: bool
    escalated: bool
    """Whether whoever the step escalates to may decide it too."""
    waits_for_me: bool
    """Whether whoever asks may decide it now."""
    waits_for: list[AskedApprover]


@answer_shape
class CountedDecisions:
    """How many approvals about one kind of thing there are, and how many of them are overdue."""

    subject_kind: str
    count: int
    overdue: int


@answer_shape
class Decisions:
    """A page of approvals, and how many there are of all pages. What waits is in the order in which it is due, what has
    no due time last, the oldest first; of what ended the newest is the first."""

    as_of: datetime
    count: int
    overdue: int
    kinds: list[CountedDecisions]
    decisions: list[ListedDecision]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Listed = Annotated[Paging, Depends(pages_of(50, 200))]
InState = Annotated[State, Query(description="What waits, or what came of it.")]
OfKind = Annotated[
    Annotated[list[str], MaxLen(MAX_VALUES)] | None,
    Query(description="Only approvals of this kind of thing, like contract, or of one of several."),
]
Overdue = Annotated[Flag | None, Query(description="Only what is overdue, or has escalated.")]
SubmittedByMe = Annotated[Flag | None, Query(description="What whoever asks submitted, whoever it waits for.")]
WithinReach = Annotated[
    Flag | None,
    Query(description="What whoever asks sees as it is theirs or their teams', whoever submitted or decides it."),
]


@router.get(
    "/v1/decisions",
    **operation(roles=EVERYBODY, reads=("decisions", "accounts", "organisation"), answers=Decisions, worded=True),
)
async def list_decisions(  # noqa: PLR0917
    query: PresentQuery,
    paged: Listed,
    state: InState = "waiting",
    subject_kind: OfKind = None,
    overdue: Overdue = None,
    submitted_by_me: SubmittedByMe = None,
    within_reach: WithinReach = None,
) -> Response:
    """What waits for your decision.

    By your role, your membership or a delegation, or because it escalated to you; not what you submitted, unless its
    chain allows that you decide it, nor what you decided already. Asked by their role are those who see the thing: a
    manager is by the things of their teams. Of another `state`: what you decided or submitted.
    `submitted_by_me` and `within_reach` ask about others instead, and together about what is both.
    """
    choice = Choice(
        state=state,
        kinds=subject_kind,
        overdue=bool(overdue),
        submitted_by_me=bool(submitted_by_me),
        within_reach=bool(within_reach),
    )
    async with query.reading() as reading:
        db = reading("decisions")
        rows, counted = await decisions(db, query.question, choice, paged.behind(RowPlace), paged.enough)
        page = paged.cut(rows, place_of)
        asked = await asked_of(db, [row["approval_id"] for row in page.rows])
        accounts = {row["account_id"] for row in page.rows} - {None}
        names = await account_names(reading("accounts"), query.question, accounts)
        parked = reading.parked
    names |= await query.service.organisation.names()
    found = Decisions(
        as_of=query.question.as_of,
        count=sum(row["count"] for row in counted),
        overdue=sum(row["overdue"] for row in counted),
        kinds=[CountedDecisions(**row) for row in counted],
        decisions=[_listed(row, asked.get(row["approval_id"], ()), names, query) for row in page.rows],
        next=page.next,
        has_more=page.has_more,
    )
    return answer(found, parked=parked, words=query.words, headers=page.headers)


def _listed(row: Any, asked: Iterable[Any], names: Mapping[UUID, str], query: QueryContext) -> ListedDecision:
    company, today = query.company, query.company.day(query.question.as_of)
    begun = company.day(row["since"])
    return ListedDecision(
        id=row["approval_id"],
        address=f"/v1/{APPROVALS_AT[row['service']]}/{row['approval_id']}",
        subject_address=f"/v1/{SUBJECTS_AT[row['subject_kind']]}/{row['subject_id']}",
        amount=None if row["amount"] is None else money(row["amount"], row["currency"]),
        account_name=names.get(row["account_id"]),
        owner_name=names.get(row["owner"]),
        team_name=names.get(row["team"]),
        submitter_name=names.get(row["submitter_member"]),
        age_days=max((today - begun).days, 0),
        age_working_days=company.calendar.between(begun, today),
        waits_for=[_asked(each, names, query) for each in asked],
        **{name: row[name] for name in CARRIED},
    )


CARRIED: Sequence[str] = (
    *("service", "state", "subject_kind", "subject_id", "name", "part", "account_id", "owner", "team"),
    *("step", "step_name"),
    *("submitter", "submitter_member", "since", "due", "overdue", "escalated", "waits_for_me"),
)
"""What is shown as it stands in the row."""


def _asked(row: Any, names: Mapping[UUID, str], query: QueryContext) -> AskedApprover:
    role, member = row["role"], row["member"]
    name = role_title(query.words, role) if role else names.get(member)
    return AskedApprover(role=role, member=member, name=name)
