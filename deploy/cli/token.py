"""`throughline token`: a bearer token to try the APIs with."""

import asyncio
from typing import Annotated, Any

import typer

from deploy.cli.output import Json, show
from shared.domain.roles import Role

IN_TEAM = """
    select m.subject from {view}.member m join {view}.team t using (team_id)
     where t.name = $1 and m.role = $2 and m.left_on is null order by m.name, m.member_id limit 1
"""
TEAMS = "select name from {view}.team where name is not null order by name"


def run(
    role: Annotated[Role, typer.Option(help="What the person is.")],
    team: Annotated[str | None, typer.Option(help="The name of a team: somebody of this role in it.")] = None,
    subject: Annotated[str | None, typer.Option(help="Exactly this person.")] = None,
    json: Json = False,
) -> None:
    """Print a bearer token of the development issuer for somebody in a role."""
    issued = asyncio.run(token(role, team, subject))
    show(issued, issued["access_token"], json)


async def token(role: Role, team: str | None, subject: str | None) -> dict[str, Any]:
    """What the issuer gives. Raises LocalError."""
    from deploy.cli.databases import this_stack
    from deploy.cli.issuer import issue

    stack = this_stack()
    if team is not None and subject is None:
        subject = await member(stack, role, team)
    return await issue(stack, role=role.value, **({"subject": subject} if subject else {}))


async def member(stack: Any, role: Role, team: str) -> str:
    """The subject of somebody in a role and a team. Raises LocalError when there is none."""
    from deploy.cli.databases import databases, settings_of
    from deploy.local.fault import LocalError
    from shared.directory.organisation import organisation
    from shared.projections.read_snapshot import NotBuilt, Projections

    async with databases(stack, ["leads"]) as pools:
        projections = Projections(pools["leads"], [organisation("log")], {}, settings_of(stack, "leads").company)
        try:
            found = await projections.lookup("organisation", IN_TEAM, team, role.value)
            teams = [row["name"] for row in await projections.lookup("organisation", TEAMS)]
        except NotBuilt as error:
            raise LocalError("There is no organisation yet.", "Start the services with `throughline up`.") from error
    if found:
        return str(found[0]["subject"])
    if team not in teams:
        known = f"Teams are: {', '.join(teams)}." if teams else "There are no teams yet."
        raise LocalError(f"There is no team {team!r}.", known)
    raise LocalError(
        f"Nobody in the team {team!r} is a {role.value.replace('-', ' ')}.",
        "Leave --team out for somebody of that role, or name a person with --subject.",
    )
