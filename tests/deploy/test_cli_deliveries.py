"""`throughline deliveries`: what waits, what is dead, and sending it anew."""

import asyncio
import json
from pathlib import Path

from deploy.services import SERVICES
from shared.deliveries import outbox
from shared.deliveries.delivery import Delivery
from shared.eventstore.pool import create_pool
from shared.ops.ids import new_id
from shared.testing.servers import DatabaseServer
from tests.deploy.test_cli_verbs import run


async def test_dead_deliveries_are_listed_and_sent_anew(postgres: DatabaseServer, tmp_path: Path) -> None:
    url = await postgres.create_database("deliveries", await postgres.migrated())
    about = {"home": tmp_path / "home", **{f"DATABASE_URL_{name.upper()}": url for name in SERVICES}}
    receivers = [new_id(), new_id()]
    async with await create_pool(url, name="test", size=2) as pool:
        for position, receiver in enumerate(receivers, start=1):
            delivery = Delivery(
                id=new_id(),
                channel="webhook",
                receiver=receiver,
                position=position,
                event_id=new_id(),
                kind="notice.raised",
                content="{}",
            )
            await outbox.queue(pool, [delivery])  # type: ignore[arg-type]  # a pool executes as a connection does
        for head in await outbox.heads(pool, "webhook", but=(), limit=5):
            await outbox.dead(pool, head, "http-410")

        async def call(*words: str) -> str:
            told = await asyncio.to_thread(run, "deliveries", *words, **about)  # type: ignore[arg-type]
            assert told.returncode == 0, told.stderr
            return told.stdout

        listed = json.loads(await call("list", "--service", "forecast", "--json"))
        assert [(each["receiver"], each["error"], each["attempts"]) for each in listed] == [
            (str(receiver), "http-410", 1) for receiver in sorted(receivers)
        ]
        assert f"webhook  {receivers[0]}" in await call("list", "--receiver", str(receivers[0]))
        none = await call("redrive", "mail")
        assert none == "None of these is dead.\n"
        again = await call("redrive", "webhook", "--receiver", str(receivers[0]), "--service", "forecast")
        assert again.startswith("Asked for 1 deliveries;")
        assert [each.receiver for each in await outbox.listed(pool, "dead")] == [receivers[1]]
        assert "Nothing is delivered." in await call("list", "--state", "delivered")
    await postgres.drop_database(url)
