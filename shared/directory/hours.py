"""Projection of the working hours that leads sets, of the company and of teams, for the other services (ORG-1)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.commands.loaders import LoaderContext, reads
from shared.directory.hierarchy import teams_above
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context
from shared.domain.policy import InForce, Version
from shared.domain.working_time.hours import usual_hours
from shared.events.envelope import Envelope
from shared.events.leads.policy import LeadPolicySet
from shared.events.working_hours import WorkingHours
from shared.projections.projection import Projection, ProjectionDatabase

NAME = "known_hours"
DDL = """
create table {view}.version (
    number integer primary key,
    valid_from date not null,
    team_id uuid,
    document text,
    set_on date not null
);
"""
SET = """
insert into {view}.version select * from unnest($1::integer[], $2::date[], $3::uuid[], $4::text[], $5::date[])
on conflict (number) do nothing
"""
EVERY = "select number, valid_from, team_id, document, set_on from {view}.version order by number"

_documents = msgspec.json.Decoder(WorkingHours)
_encoder = msgspec.json.Encoder()


async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Versions are few, and never change."""
    told = [event.data for event in events if event.data.kind == "working-hours"]
    documents = [_encoder.encode(each.working_hours).decode() if each.working_hours else None for each in told]
    await db.execute(
        SET,
        [each.number for each in told],
        [each.valid_from for each in told],
        [each.team for each in told],
        documents,
        [each.on for each in told],
    )


KNOWN_HOURS = Projection(name=NAME, version=1, ddl=DDL, apply=fold, source="journal", events=(LeadPolicySet,))


@reads(NAME, ORGANISATION)
async def hours_in_force(reader: LoaderContext, state: Any, command: Any, context: Context) -> InForce[WorkingHours]:
    """The working hours in force, in services other than leads."""
    versions = [
        Version(
            number=row["number"],
            valid_from=row["valid_from"],
            document=_documents.decode(row["document"]) if row["document"] else None,
            team=row["team_id"],
            process=None,
            set_on=row["set_on"],
            reason=None,
        )
        for row in await reader.fetch(KNOWN_HOURS, EVERY)
    ]
    above = await teams_above(reader.fetch) if any(version.team for version in versions) else {}
    return InForce(default=usual_hours(context.company.calendar), on=context.today, versions=versions, above=above)
