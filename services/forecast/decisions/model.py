"""The read model of decisions: every approval of any service as it stands, for whom it waits, and who decided it.

An approval is folded anew with each of its events, from its own stream alone: it has as many events as people were
asked. So the rows are the same in whatever order those of different approvals, and services, arrive.
"""

from collections.abc import Sequence
from typing import Any

from services.forecast.decisions.standing import Standing, standing
from shared.domain.history import by_thing
from shared.events.approvals import APPROVING, approval_events
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase, indices

DDL = """
create table {view}.approval (
    approval_id uuid primary key, service text not null, state text not null, subject_kind text not null,
    subject_id uuid not null, name text not null, part text, amount numeric, currency text, account_id uuid, owner uuid,
    team uuid, submitter text not null, submitter_member uuid, may_decide_own boolean not null, step text,
    step_name text, since timestamptz not null, due timestamptz, escalated boolean not null, known_to uuid[] not null,
    authors uuid[] not null
);
create table {view}.asked (
    approval_id uuid not null, place smallint not null, role text, member uuid, primary key (approval_id, place)
);
create table {view}.decided (
    approval_id uuid not null, subject text not null, member uuid, spent boolean not null
);
create index on {view}.decided (approval_id);
comment on column {view}.approval.known_to is 'The members who see it, whosever it is.';
comment on column {view}.approval.authors is 'The members who wrote what was submitted, and do not decide it.';
comment on table {view}.asked is 'For whom an approval waits; none of one that ended.';
comment on column {view}.decided.spent is 'Whether they approved in the step that waits, and cannot decide it again.';
comment on column {view}.approval.since is 'When the step that waits began, or when it ended.';
"""
INDICES = indices(
    approval=("(approval_id) where state = 'waiting'", "(submitter)", "(submitter_member)"),
    decided=("(subject)", "(member)"),
)

GONE = """
with asked as (delete from {view}.asked where approval_id = any($1)),
     decided as (delete from {view}.decided where approval_id = any($1))
delete from {view}.approval where approval_id = any($1)
"""
APPROVAL = """
insert into {view}.approval
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
"""
ASKED = "insert into {view}.asked values ($1, $2, $3, $4)"
DECIDED = "insert into {view}.decided values ($1, $2, $3, $4)"


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Fold the approvals again that the events belong to. None is ever dropped: what ended is asked about too."""
    touched = sorted({event.aggregate_id for event in events})
    if not touched:
        return
    told = by_thing(await db.history(touched))
    found = [standing(facts[0].service, [fact.data for fact in facts]) for facts in told.values()]
    await db.execute(GONE, touched)
    await db.executemany(APPROVAL, map(_row, found))
    await db.executemany(
        ASKED,
        [(each.approval.id, place, slot.role, slot.member) for each in found for place, slot in enumerate(each.asked)],
    )
    await db.executemany(
        DECIDED, [(each.approval.id, *who, who in each.spent) for each in found for who in each.decided]
    )


def _row(stands: Standing) -> tuple[Any, ...]:
    approval, amount, step = stands.approval, stands.approval.amount, stands.step
    about = (approval.id, stands.service, stands.state, approval.subject_kind, approval.subject_id)
    named = (approval.name, approval.part)
    worth = (amount.amount, amount.currency) if amount else (None, None)
    whose = (approval.account_id, approval.owner, approval.team, approval.submitter, approval.submitter_member)
    waits = (step.key, step.name) if step else (None, None)
    may_decide_own = approval.self_approval == "allow"
    when = (stands.since, stands.due, stands.escalated)
    who = (sorted(approval.known_to), list(approval.authors))
    return (*about, *named, *worth, *whose, may_decide_own, *waits, *when, *who)


FACTS = tuple(told for service in APPROVING for told in approval_events(service).every)

PROJECTION = Projection(
    name="decisions", version=6, ddl=DDL, indices=INDICES, apply=apply, source="journal", events=FACTS
)
