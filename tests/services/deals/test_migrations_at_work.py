"""PROC-2: migrations over HTTP and PostgreSQL: tried first, run, and gone on with after the process was killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local.identity import Issuer
from services.deals.app import SERVICE
from services.deals.domain.deal import deal
from services.deals.domain.process.publishing import EXAMPLE
from services.deals.domain.process_migration.running import STEP
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.process_migrations import MIGRATED_DEAL_PROJECTION, PROCESS_MIGRATION_PROJECTION
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.ops.settings import Settings, environment_name
from shared.projections.audit import differences
from shared.service.build import build
from shared.testing.servers import DatabaseServer
from shared.testing.transactions import long_transaction
from tests.services.deals.conftest import Office
from tests.services.deals.test_service import codes
from tests.services.leads.conftest import Desk
from tests.shared.http.conftest import Errands
from tests.shared.http.test_processes import free_ports
from tests.shared.http.waiting import until

AT = "/v1/process-migrations"
CHECKOUT = Path(__file__).parents[3]
PROGRAM = (
    "import sys; from shared.ops.settings import Settings; from shared.service.server import run;"
    "from services.deals.app import SERVICE;"
    "sys.exit(run(SERVICE, Settings.from_environment('deals'), 'workers', 1))"
)
ASKED = {"key": "asked", "name": "Asked", "when": {"fact": "satisfied", "operator": "is", "value": True}}
MAPPING = [{"stage": "review", "becomes": "look"}, {"stage": "offer", "becomes": "offer"}]


def definition(key: str, *stages: dict[str, Any]) -> dict[str, Any]:
    return {**deepcopy(EXAMPLE["definition"]), "key": key, "stages": list(stages)}


def stage(key: str, probability: str, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": key,
        "purpose": "Go on.",
        "probability": probability,
        "category": "pipeline",
        "tasks": [{"key": f"{key}-task", "name": key}],
        **more,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """A process with two published versions, and the desk of sales operations."""

    ops: Desk
    process: str

    @property
    def plan(self) -> dict[str, Any]:
        return {
            "process_id": self.process,
            "process_versions": [1],
            "to_version": 2,
            "stages": MAPPING,
            "reason": "The offer comes second.",
        }

    async def deals(self, number: int, desk: Desk | None = None, **more: Any) -> list[str]:
        """Deals on version 1, in the order of their ids."""
        body = {"amount": {"amount": "1000.00", "currency": "EUR"}, "process_id": self.process, **more}
        made = [await (desk or self.ops).makes("/v1/deals", {**body, "name": f"Deal {n}"}) for n in range(number)]
        return sorted(made)

    async def revised(self, **more: Any) -> None:
        """Version 2 is there."""
        known = (await self.ops.sees(f"/v1/processes/{self.process}"))["versions"][0]["definition"]["key"]
        second = {**definition(known, stage("look", "0.40", entry=[ASKED]), stage("offer", "0.70")), **more}
        answer = await self.ops.does(f"/v1/processes/{self.process}/publish-version", {"definition": second})
        assert answer.status_code == 200, answer.text

    async def becomes(self, migration: str, status: str) -> dict[str, Any]:
        shown: dict[str, Any] = {}

        async def is_so() -> bool:
            nonlocal shown
            shown = await self.ops.sees(f"{AT}/{migration}")
            return bool(shown["status"] == status)

        await until(is_so, 60)
        return shown


async def two(ops: Desk, **more: Any) -> Two:
    first = {**definition(f"renewal-{new_id()}", stage("review", "0.30"), stage("offer", "0.60")), **more}
    return Two(ops=ops, process=await ops.makes("/v1/processes", {"definition": first}))


async def tried(at: Two, migration: str, **query: str) -> dict[str, Any]:
    shown: dict[str, Any] = await at.ops.sees(f"{AT}/{migration}/trial", **query)
    return shown


async def written(office: Office, about: Sequence[str]) -> list[int]:
    """How many rows there are about some things."""
    ids = [UUID(each) for each in about]
    tables = ("stream_head", "event", "timer")
    return [
        await office.running.pool.fetchval(f"select count(*) from {table} where aggregate_id = any($1)", ids)
        for table in tables
    ]


async def listed(at: Two, *, deals: int) -> None:
    async def are_there() -> bool:
        return len((await at.ops.sees("/v1/deals", process=at.process))["items"]) == deals

    await until(are_there, 60)


async def test_proc_2_one_deal_is_migrated_and_is_what_its_new_stage_says(office: Office) -> None:
    at = await two(office.somebody())
    (made,) = await at.deals(1)
    await at.revised()
    refused = await at.ops.does(f"/v1/deals/{made}/migrate", {"process_version": 3, "stage": "look", "reason": "x"})
    assert codes(refused) == ["unknown-version"]
    done = await at.ops.does(f"/v1/deals/{made}/migrate", {"process_version": 2, "stage": "look", "reason": "x"})
    assert done.status_code == 200, done.text
    shown = await at.ops.sees(f"/v1/deals/{made}")
    assert (shown["process_version"], shown["stage"], shown["probability"]) == (2, "look", "0.40")
    assert [node["key"] for node in shown["nodes"]] == ["look-task"]

    async def is_listed() -> bool:
        rows = (await at.ops.sees("/v1/deals", process=at.process, process_version="2"))["items"]
        told = [(row["id"], row["stage"], row["probability"], row["process_version"]) for row in rows]
        return told == [(made, "look", "0.40", 2)]

    await until(is_listed, 60)
    assert (await at.ops.sees("/v1/deals", process=at.process, process_version="1"))["items"] == []
    director = office.somebody(Role.SALES_DIRECTOR, "dora")
    other = {"process_version": 2, "stage": "offer", "reason": "x"}
    assert (await director.does(f"/v1/deals/{made}/migrate", other)).status_code == 403
    running = office.running
    assert await differences(running.pool, running.log, DEAL_PROJECTION, running.settings.company) == []


async def test_proc_2_a_migration_is_tried_first_page_by_page_and_nothing_is_written(office: Office) -> None:
    at = await two(office.somebody())
    made = await at.deals(5)
    await at.revised()
    await at.ops.makes(f"/v1/deals/{made[0]}/note-facts", {"facts": {"satisfied": True}})
    await listed(at, deals=5)
    migration = await at.ops.makes(AT, {**at.plan, "unmet": "refused"})
    about = [migration, *made]
    before = await written(office, about)
    first = await tried(at, migration, limit="2", totals="true")
    assert [(each["deal_id"], each["outcome"], each["reason"], each["stage"]) for each in first["items"]] == [
        (made[0], "migrated", None, "look"),
        (made[1], "refused", "criteria-unmet", None),
    ]
    assert first["items"][1]["unmet"] == [{"gate": "entry of look", "criterion": "asked"}]
    assert [node["key"] for node in first["items"][0]["dropped"]] == ["review-task"]
    assert [node["key"] for node in first["items"][0]["due"]] == ["look-task"]
    assert first["totals"] == {
        "deals": 5,
        "migrated": 1,
        "refused": 4,
        "stages": {"look": 1},
        "reasons": {"criteria-unmet": 4},
        "unmet": {"asked": 4},
        "dropped": 1,
        "due": 1,
    }
    pages, cursor = [first], first["next"]
    while cursor:
        pages.append(await tried(at, migration, limit="2", totals="true", cursor=cursor))
        cursor = pages[-1]["next"]
    assert [each["deal_id"] for page in pages for each in page["items"]] == made
    assert await written(office, about) == before
    assert (await at.ops.sees(f"{AT}/{migration}"))["status"] == "planned"


async def test_proc_2_a_trial_says_which_flexible_nodes_go_along_and_which_end(office: Office) -> None:
    """DEAL-4: as does what was recorded then."""

    def node(key: str, stage: str) -> dict[str, Any]:
        return {"key": key, "name": key, "stages": [stage], "tasks": [{"key": f"{key}-task", "name": key}]}

    at = await two(office.somebody(), flexible_nodes=[node("legal", "review"), node("pilot", "review")])
    (made,) = await at.deals(1)
    for key in ("legal", "pilot"):
        await at.ops.makes(f"/v1/deals/{made}/add-flexible-node", {"key": key, "reason": "New terms."})
    await at.revised(flexible_nodes=[node("legal", "look")])
    await listed(at, deals=1)
    migration = await at.ops.makes(AT, at.plan)
    (would,) = (await tried(at, migration))["items"]
    assert would["flexible_nodes"] == [{"key": "legal", "stage": "look"}]
    assert would["flexible_nodes_ended"] == ["pilot"]
    await at.ops.makes(f"/v1/deals/{made}/migrate", {"process_version": 2, "stage": "look", "reason": "x"})
    bound = (await at.ops.sees(f"/v1/deals/{made}"))["flexible_nodes"]
    assert [(each["key"], each["stage"]) for each in bound] == [("legal", "look")]


async def test_proc_2_what_was_tried_happens_and_what_was_refused_is_listed(office: Office) -> None:
    at, team = await two(office.somebody()), await office.team()
    rep = office.somebody(Role.REP, team.subjects[0])
    theirs, others = await at.deals(2, rep), await at.deals(2)
    await at.revised()
    await at.ops.makes(f"/v1/deals/{theirs[0]}/note-facts", {"facts": {"satisfied": True}})
    await listed(at, deals=4)
    migration = await at.ops.makes(AT, {**at.plan, "unmet": "refused", "teams": [team.id]})
    expected = {each["deal_id"]: each for each in (await tried(at, migration))["items"]}
    assert expected.keys() == set(theirs)
    started = await at.ops.does(f"{AT}/{migration}/start")
    assert started.status_code == 200, started.text
    shown = await at.becomes(migration, "completed")
    assert (shown["migrated"], shown["refused"]) == (1, 1)

    async def is_listed() -> bool:
        return len((await at.ops.sees("/v1/migrated-deals", migration=migration))["items"]) == 2

    await until(is_listed, 60)
    rows = {row["deal_id"]: row for row in (await at.ops.sees("/v1/migrated-deals", migration=migration))["items"]}
    for deal_id, would in expected.items():
        assert {name: rows[deal_id][name] for name in ("outcome", "reason", "stage", "stage_before")} == {
            name: would[name] for name in ("outcome", "reason", "stage", "stage_before")
        }
    (refused,) = (await at.ops.sees("/v1/migrated-deals", migration=migration, outcome="refused"))["items"]
    assert (refused["deal_id"], refused["reason"], refused["unmet"]) == (theirs[1], "criteria-unmet", ["asked"])
    seen_by_rep = (await rep.sees("/v1/migrated-deals", migration=migration))["items"]
    assert {row["deal_id"] for row in seen_by_rep} == set(theirs)
    for deal_id, version in ((theirs[0], 2), (theirs[1], 1), *((each, 1) for each in others)):
        assert (await at.ops.sees(f"/v1/deals/{deal_id}"))["process_version"] == version
    (row,) = (await at.ops.sees(AT, process=at.process))["items"]
    assert (row["status"], row["migrated"], row["refused"]) == ("completed", 1, 1)
    running = office.running
    for projection in (PROCESS_MIGRATION_PROJECTION, MIGRATED_DEAL_PROJECTION, DEAL_PROJECTION):
        assert await differences(running.pool, running.log, projection, running.settings.company) == []


async def test_org_1_a_team_stands_for_itself_and_those_below_it(office: Office) -> None:
    at = await two(office.somebody())
    above = await office.operations().makes("/v1/teams", {"name": f"North {at.process}"})
    below = await office.operations().makes("/v1/teams", {"name": f"Harbour {at.process}", "parent_id": above})

    async def is_known() -> bool:
        return len(await office.running.organisation.below(UUID(above), fresh=True)) == 2

    await until(is_known, 60)
    (inside,) = await at.deals(1, team=below)
    await at.deals(1)
    await at.revised()
    await listed(at, deals=2)
    migration = await at.ops.makes(AT, {**at.plan, "teams": [above]})
    assert [each["deal_id"] for each in (await tried(at, migration))["items"]] == [inside]
    beside = await at.ops.makes(AT, {**at.plan, "teams": [below]})
    assert [each["deal_id"] for each in (await tried(at, beside))["items"]] == [inside]


async def test_proc_2_faults_of_a_plan_are_told_with_their_place(office: Office) -> None:
    at = await two(office.somebody())
    await at.revised()
    wrong = {**at.plan, "stages": [{"stage": "review", "becomes": "nowhere"}]}
    refused = await at.ops.does(AT, wrong)
    assert {(each["code"], each["pointer"]) for each in refused.json()["errors"]} == {
        ("unknown-stage", "/stages/0/becomes"),
        ("stage-not-mapped", "/stages"),
    }
    assert (await office.somebody(Role.MANAGER, "m").does(AT, at.plan)).status_code == 403


# -- killed half way --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def workers(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The workers of the deals service in a process of their own, which may be killed."""
    given = {
        environment_name(name, "deals"): str(value)
        for name in ("database_url", "claim_secret", "oidc_issuer", "oidc_jwks_url", "kafka_bootstrap")
        if (value := getattr(settings, name)) is not None
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM),
        cwd=CHECKOUT,
        env={**os.environ, **given, "SERVICE_PORT": str(free_ports(1))},
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@pytest.fixture
async def desk_alone(processes: None, postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """What answers the requests of the deals service, over a database of its own; its workers are somewhere else."""
    url = await postgres.create_database("deals", await postgres.migrated())
    settings = replace(
        Settings(service="deals", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap="127.0.0.1:9",
        origin="http://errands.test",
        rate_limit="",
    )
    app = build(SERVICE, settings, "web")
    async with app.router.lifespan_context(app):
        yield Errands(app=app, issuer=issuer, settings=settings)
    await postgres.drop_database(url)


async def migrated(errands: Errands, deals: Sequence[str]) -> dict[str, int]:
    """How often each deal went over."""
    rows = await errands.running.pool.fetch(
        "select aggregate_id, count(*) as times from event where type = 'deals.deal-migrated' group by 1"
    )
    found = {str(row["aggregate_id"]): int(row["times"]) for row in rows}
    return {each: found.get(each, 0) for each in deals}


WAITING = "select pid from pg_stat_activity where datname = current_database() and $1 = any(pg_blocking_pids(pid))"
"""Who waits for a connection."""


@asynccontextmanager
async def holding(url: str, deal_id: str) -> AsyncIterator[int]:
    """Somebody holds a deal; gives the process of their connection."""
    connection = await asyncpg.connect(url)
    async with long_transaction(connection):
        await connection.execute("select from stream_head where aggregate_id = $1 for update", UUID(deal_id))
        yield connection.get_server_pid()
    await connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("is_lost", [True, False], ids=["before its step was recorded", "after its step was recorded"])
async def test_proc_2_a_migration_that_is_killed_half_way_goes_on_and_no_deal_goes_over_twice(
    desk_alone: Errands, is_lost: bool
) -> None:
    """The second step waits for a deal that somebody holds when the process that takes it is killed (SIGKILL). What it
    had sent is lost; or the database goes on with it, and nobody is told."""
    ops, pool, url = Desk(client=desk_alone.client()), desk_alone.running.pool, desk_alone.settings.database_url

    async def is_built() -> bool:
        return await ops.status("/v1/deals") == 200

    async with workers(desk_alone.settings) as process:
        await until(is_built, 120)
        at = await two(ops)
        made = await at.deals(2 * STEP + 3)
        await at.revised()
        migration = await at.ops.makes(AT, at.plan)
        async with holding(url, made[STEP + 1]) as holder:
            await at.ops.makes(f"{AT}/{migration}/start")

            async def waits() -> bool:
                return bool(await pool.fetch(WAITING, holder))

            await until(waits, 120)
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            assert list((await migrated(desk_alone, made)).values()) == [1] * STEP + [0] * (STEP + 3)
            if is_lost:
                await pool.execute(f"select pg_terminate_backend(pid) from ({WAITING}) waiting", holder)

    done = STEP if is_lost else 2 * STEP

    async def is_half() -> bool:
        half = await at.ops.sees(f"{AT}/{migration}")
        went = sum((await migrated(desk_alone, made)).values())
        assert half["migrated"] in (STEP, 2 * STEP)
        return (half["status"], half["migrated"], went) == ("running", done, done)

    await until(is_half, 60)
    if not is_lost:
        # Two starts lead to steps then: the one from before, and this one.
        await at.ops.makes(f"{AT}/{migration}/stop")
        assert (await at.ops.sees(f"{AT}/{migration}"))["status"] == "stopped"
        await at.ops.makes(f"{AT}/{migration}/start")
    async with workers(desk_alone.settings):
        shown = await at.becomes(migration, "completed")
    assert (shown["migrated"], shown["refused"]) == (2 * STEP + 3, 0)
    assert list((await migrated(desk_alone, made)).values()) == [1] * (2 * STEP + 3)
    for each in made:
        assert (await desk_alone.running.commands.state(deal, UUID(each))).state.process_version == 2
