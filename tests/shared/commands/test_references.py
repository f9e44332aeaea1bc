"""What a command names beside its own aggregate is there, and whoever asks reaches it (API-1, API-4)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.contracts.projections.deals import DEALS, KNOWN_DEAL
from shared.commands.executor import CommandExecutor
from shared.commands.references import OnStream
from shared.commands.request import CommandRequest, Forbidden, NotFound
from shared.directory.accounts import ACCOUNT
from shared.directory.organisation import DDL as ORGANISATION
from shared.directory.references import ACCOUNTS, PEOPLE
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor, Company
from shared.domain.references import MADE_A_MOMENT_AGO
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache
from shared.ops.clock import Clock
from shared.ops.ids import new_id
from shared.projections.projection import placed
from shared.service.build import service_document
from shared.service.definition import Service
from shared.testing.servers import DatabaseServer
from tests.shared.commands.crates import (
    CODEC,
    BuildShelf,
    ImportCrate,
    PackCrate,
    Part,
    RelabelCrate,
    RemoveShelf,
    StandingShelf,
    crate,
    shelf,
)

ROSA, SAM, GONE, NOBODY, FREE = (UUID(int=number) for number in (1, 2, 3, 4, 6))
SOUTH, NORTH, NOWHERE = (UUID(int=number) for number in (11, 12, 13))
ROSAS, SAMS, LEFT_BEHIND, NO_ACCOUNT = (UUID(int=number) for number in (21, 22, 23, 24))
ROSAS_DEAL, SAMS_DEAL, NO_DEAL, KEPT_DEAL = (UUID(int=number) for number in (31, 32, 33, 34))
LOST_TEAM, LOST_ACCOUNT = UUID(int=41), UUID(int=42)
"""What only the deal of Rosa names: it is not known here yet."""

REP = Actor(subject="rosa", roles=frozenset({Role.REP}), member=ROSA, team=SOUTH, teams=frozenset({SOUTH}))
MANAGER = replace(REP, roles=frozenset({Role.MANAGER}), teams=frozenset({SOUTH, NORTH}))
DIRECTOR = Actor(subject="dora", roles=frozenset({Role.SALES_DIRECTOR}), member=UUID(int=5))
SERVICE = Actor(subject="service:import", roles=frozenset({Role.SERVICE}))

SCHEMAS = {name: name for name in ("organisation", "known_accounts", "known_deals")}
KNOWN = f"""
create schema organisation; create schema known_accounts; create schema known_deals;
{placed(ORGANISATION, {"view": "organisation"})}
{placed(ACCOUNT.ddl, {"view": "known_accounts"})}
{placed(KNOWN_DEAL.ddl, {"view": "known_deals"})}
insert into organisation.team (team_id) values ('{SOUTH}'), ('{NORTH}');
insert into organisation.member (member_id, team_id, left_on)
values ('{ROSA}', '{SOUTH}', null), ('{SAM}', '{NORTH}', null), ('{FREE}', null, null),
       ('{GONE}', '{SOUTH}', '2026-01-31');
insert into known_accounts.account (id, name, name_key, owner, team)
values ('{ROSAS}', 'A', 'a', '{ROSA}', '{SOUTH}'), ('{SAMS}', 'B', 'b', '{SAM}', '{NORTH}'),
       ('{LEFT_BEHIND}', 'C', 'c', '{GONE}', '{SOUTH}');
insert into known_deals.deal (id, owner, team, account_id)
values ('{ROSAS_DEAL}', '{ROSA}', '{LOST_TEAM}', '{LOST_ACCOUNT}'), ('{SAMS_DEAL}', '{SAM}', '{NORTH}', '{SAMS}'),
       ('{KEPT_DEAL}', '{SAM}', '{SOUTH}', null);
"""


@dataclass(slots=True)
class Depot:
    """The write path of a service that knows people, accounts and deals, and has shelves of its own."""

    pool: asyncpg.Pool
    commands: CommandExecutor = field(init=False)
    trips: int = 0
    """So many times something was looked up."""

    async def look_up(self, projection: Any, sql: str, *arguments: Any) -> list[Any]:
        """Rows of what the service knows."""
        self.trips += 1
        rows: list[Any] = await self.pool.fetch(placed(sql, SCHEMAS), *arguments)
        return rows

    async def does(
        self, command: Any, *, by: Actor = REP, to: UUID | None = None, aggregate: Aggregate = crate
    ) -> UUID:
        """Carry out a command on something new, or `to` something."""
        self.trips = 0
        request = CommandRequest(aggregate, to or new_id(), command, by)
        return (await self.commands.execute(request)).aggregate_id

    async def refusal(self, command: Any, *, by: Actor = REP, to: UUID | None = None) -> Rejected:
        """Why a command is refused."""
        with pytest.raises(Rejected) as refused:
            await self.does(command, by=by, to=to)
        return refused.value

    async def faults(self, command: Any, *, by: Actor = REP, to: UUID | None = None) -> list[tuple[str, str | None]]:
        """The codes and fields of a refusal."""
        return [(reason.code, reason.field) for reason in (await self.refusal(command, by=by, to=to)).reasons]


@pytest.fixture
async def depot(postgres: DatabaseServer) -> AsyncIterator[Depot]:
    """A depot that knows two members, two teams, two accounts and two deals."""
    url = await postgres.create_database("depot", await postgres.migrated())
    pool = await create_pool(url, name="crates")
    await pool.execute(KNOWN)
    appender, there = GroupCommit(pool), Depot(pool)
    there.commands = CommandExecutor(
        aggregates=(crate, shelf),
        knows=(*PEOPLE, ACCOUNTS, DEALS, OnStream(shelf, StandingShelf)),
        look_up=there.look_up,
        pool=pool,
        appender=appender,
        streams=StreamCache(pool, CODEC),
        codec=CODEC,
        clock=Clock(),
        company=Company(),
        claim_secret=b"only for these tests",
    )
    yield there
    await appender.close()
    await there.commands.close()
    await pool.close()
    await postgres.drop_database(url)


NAMES_NOBODY = PackCrate(
    owner=NOBODY, carrier=NOWHERE, account_id=NO_ACCOUNT, deal_id=NO_DEAL, parts=(Part(), Part(shelf_id=UUID(int=99)))
)
ALL_OF_THEM = [
    ("unknown-member", "owner"),
    ("unknown-team", "carrier"),
    ("unknown-account", "account_id"),
    ("unknown-deal", "deal_id"),
    ("unknown-shelf", "parts.1.shelf_id"),
]


async def test_every_field_that_leads_nowhere_is_named_in_one_round_trip(depot: Depot) -> None:
    refused = await depot.refusal(NAMES_NOBODY)
    assert [(reason.code, reason.field) for reason in refused.reasons] == ALL_OF_THEM
    assert refused.code == "names-what-is-not-there"
    assert depot.trips == 2, "one on what is remembered, one to be sure before it is refused"
    assert refused.reasons[0].message == f"There is no such active member. {MADE_A_MOMENT_AGO}"
    assert refused.reasons[-1].message == "There is no such shelf.", "what is the service's own is known at once"


async def test_what_a_handler_has_against_it_is_named_along_with_that(depot: Depot) -> None:
    refused = await depot.refusal(replace(NAMES_NOBODY, weight=0))
    assert refused.code == "invalid-crate"
    assert [(reason.code, reason.field) for reason in refused.reasons] == [("too-light", "weight"), *ALL_OF_THEM]
    # What a handler itself says of a field is not said twice.
    faults = await depot.faults(PackCrate(weight=-1, owner=NOBODY))
    assert faults == [("too-light", "weight"), ("unknown-member", "owner")]


async def test_a_single_reason_is_the_refusal(depot: Depot) -> None:
    refused = await depot.refusal(PackCrate(owner=NOBODY))
    assert (refused.code, refused.message) == ("unknown-member", refused.reasons[0].message)


async def test_whoever_names_what_there_is_looks_it_up_at_once(depot: Depot) -> None:
    await depot.does(PackCrate(owner=SAM, team=NORTH, account_id=SAMS, deal_id=SAMS_DEAL), by=DIRECTOR)
    assert depot.trips == 1


@pytest.mark.parametrize("command", [PackCrate(), PackCrate(owner=ROSA, team=SOUTH, carrier=SOUTH)])
async def test_who_names_nobody_else_looks_nothing_up(depot: Depot, command: PackCrate) -> None:
    await depot.does(command)
    assert depot.trips == 0


async def test_a_member_who_left_is_as_one_who_never_was(depot: Depot) -> None:
    assert await depot.faults(PackCrate(owner=GONE)) == [("unknown-member", "owner")]
    assert await depot.faults(PackCrate(owner=SOUTH)) == [("unknown-member", "owner")], "an id of something else"
    await depot.does(PackCrate(owner=SAM), by=MANAGER)


async def test_a_team_is_ones_own_unless_one_reaches_all(depot: Depot) -> None:
    """API-4: a rep the one that they sit in, a manager those that they lead; a type may say that it is any."""
    assert await depot.faults(PackCrate(team=NORTH)) == [("other-team", "team")]
    assert await depot.faults(PackCrate(team=NOWHERE)) == [("other-team", "team"), ("unknown-team", "team")]
    await depot.does(PackCrate(team=NORTH), by=MANAGER)
    await depot.does(PackCrate(team=NORTH), by=DIRECTOR)
    await depot.does(PackCrate(carrier=NORTH))
    assert await depot.faults(PackCrate(team=NOWHERE), by=DIRECTOR) == [("unknown-team", "team")]


async def test_a_member_sits_in_a_team_of_ones_own_unless_one_reaches_all(depot: Depot) -> None:
    """API-4: oneself in any case; a type may say that it is anybody."""
    assert await depot.faults(PackCrate(owner=SAM)) == [("member-of-other-team", "owner")]
    assert await depot.faults(PackCrate(owner=FREE), by=MANAGER) == [("member-of-other-team", "owner")]
    assert await depot.faults(PackCrate(owner=NOBODY)) == [("unknown-member", "owner")]
    await depot.does(PackCrate(owner=SAM), by=MANAGER)
    await depot.does(PackCrate(owner=SAM), by=DIRECTOR)
    await depot.does(PackCrate(owner=ROSA), by=replace(MANAGER, team=None, teams=frozenset()))
    await depot.does(PackCrate(receiver=SAM))
    # Whose the deal is that it names is a fact, wherever they sit.
    await depot.does(PackCrate(deal_id=KEPT_DEAL, owner=SAM), by=replace(MANAGER, teams=frozenset({SOUTH})))


@pytest.mark.parametrize(
    ("unseen", "missing"),
    [
        (PackCrate(account_id=SAMS), PackCrate(account_id=NO_ACCOUNT)),
        (PackCrate(deal_id=SAMS_DEAL), PackCrate(deal_id=NO_DEAL)),
    ],
)
async def test_what_somebody_does_not_see_is_as_what_is_not_there(
    depot: Depot, unseen: PackCrate, missing: PackCrate
) -> None:
    """API-4: not even the sentence tells them apart."""
    assert (await depot.refusal(unseen)).reasons == (await depot.refusal(missing)).reasons
    await depot.does(unseen, by=MANAGER)
    await depot.does(PackCrate(returned_by=SAMS))
    assert await depot.faults(PackCrate(returned_by=NO_ACCOUNT)) == [("unknown-account", "returned_by")]
    await depot.does(PackCrate(account_id=ROSAS, deal_id=ROSAS_DEAL))


async def test_a_customer_that_it_has_already_is_not_asked_for(depot: Depot) -> None:
    foreign = await depot.does(ImportCrate(on=date(2026, 1, 5), owner=ROSA, account_id=SAMS), by=SERVICE)
    await depot.does(RelabelCrate(account_id=SAMS, inspector=ROSA), to=foreign)
    assert depot.trips == 0
    assert await depot.faults(RelabelCrate(account_id=NO_ACCOUNT), to=foreign) == [("unknown-account", "account_id")]
    await depot.does(RelabelCrate(account_id=ROSAS), to=foreign)
    assert await depot.faults(RelabelCrate(account_id=SAMS), to=foreign) == [("unknown-account", "account_id")]


async def test_what_a_deal_tells_is_a_fact_known_here_or_not_yet(depot: Depot) -> None:
    await depot.does(PackCrate(deal_id=ROSAS_DEAL, carrier=LOST_TEAM, account_id=LOST_ACCOUNT))
    assert depot.trips == 1
    apart = PackCrate(carrier=LOST_TEAM, account_id=LOST_ACCOUNT)
    assert await depot.faults(apart) == [("unknown-team", "carrier"), ("unknown-account", "account_id")]
    other = PackCrate(deal_id=ROSAS_DEAL, owner=NOBODY, account_id=NO_ACCOUNT)
    assert await depot.faults(other) == [("unknown-member", "owner"), ("unknown-account", "account_id")]
    # An account tells nothing: whoever keeps it may have left.
    assert await depot.faults(PackCrate(account_id=LEFT_BEHIND, owner=GONE), by=DIRECTOR) == [
        ("unknown-member", "owner")
    ]
    # Of a deal that is not seen nothing is learnt.
    hidden = PackCrate(deal_id=SAMS_DEAL, account_id=SAMS)
    assert await depot.faults(hidden) == [("unknown-account", "account_id"), ("unknown-deal", "deal_id")]


async def test_what_is_the_services_own_is_read_from_its_stream(depot: Depot) -> None:
    standing = await depot.does(BuildShelf(), aggregate=shelf)
    await depot.does(PackCrate(parts=(Part(shelf_id=standing),)))
    assert depot.trips == 0
    other = replace(REP, member=SAM, team=NORTH, teams=frozenset({NORTH}))
    gone = [("unknown-shelf", "parts.0.shelf_id")]
    assert await depot.faults(PackCrate(parts=(Part(shelf_id=standing),)), by=other) == gone, "it is another's"
    await depot.does(RemoveShelf(), to=standing, aggregate=shelf)
    made = await depot.does(PackCrate())
    for each in (standing, made, new_id()):  # one that is removed, one of another family, and none at all
        assert await depot.faults(PackCrate(parts=(Part(shelf_id=each),)), by=DIRECTOR) == gone


async def test_imports_name_facts(depot: Depot) -> None:
    """DATA-5: history names its own people and customers."""
    await depot.does(ImportCrate(on=date(2026, 1, 5), owner=NOBODY, account_id=NO_ACCOUNT), by=SERVICE)
    assert depot.trips == 0


async def test_what_is_not_there_or_not_allowed_or_already_so_comes_first(depot: Depot) -> None:
    nowhere = RelabelCrate(account_id=NO_ACCOUNT)
    with pytest.raises(NotFound):
        await depot.does(nowhere, to=new_id())
    mine = await depot.does(PackCrate(), by=DIRECTOR)
    with pytest.raises(NotFound):
        await depot.does(nowhere, to=mine)
    with pytest.raises(Forbidden):
        await depot.does(nowhere, to=mine, by=replace(DIRECTOR, roles=frozenset({Role.LEGAL})))
    await depot.does(PackCrate(owner=NOBODY), to=mine, by=DIRECTOR)
    assert depot.trips == 0, "it is packed already"
    lost = await depot.does(ImportCrate(on=date(2026, 1, 5), owner=ROSA, account_id=NO_ACCOUNT), by=SERVICE)
    await depot.does(RelabelCrate(account_id=NO_ACCOUNT, inspector=NOBODY), to=lost)  # nothing happens


def test_a_service_that_cannot_know_what_its_commands_name_is_not_built() -> None:
    unfit = Service("crates", description="Crates.", aggregates=(crate, shelf), knows=(*PEOPLE, ACCOUNTS))
    with pytest.raises(ValueError, match="PackCrate names deal, shelf"):
        service_document(unfit)
    unprojected = Service("crates", description="Crates.", knows=(*PEOPLE, ACCOUNTS))
    with pytest.raises(ValueError, match="knows each account from a projection that it does not have"):
        service_document(unprojected)
