"""Both workers of deliveries in a process of their own, to be killed: `delivery_process.py DATABASE WEBHOOKS MAIL`, the
last two the ports of who receives."""

import asyncio
import sys
from datetime import UTC, datetime
from uuid import UUID

from shared.deliveries.addresses import Resolver, networks_of
from shared.deliveries.delivery import Channel, Delivery
from shared.deliveries.mail import Letter, MailChannel
from shared.deliveries.webhooks import Endpoint, WebhookChannel, secret_of
from shared.ops.mail_server import MailServer
from tests.shared.deliveries.belfry import RunsUntilStopped, start_belfry


def now() -> datetime:
    return datetime.now(UTC)


async def main(database: str, webhooks: int, mail: int) -> None:
    async def endpoint_of(_: UUID) -> Endpoint:
        return Endpoint(url=f"http://127.0.0.1:{webhooks}/", secrets=[secret_of(b"k" * 32, UUID(int=1), 0)])

    async def letter_of(delivery: Delivery) -> Letter:
        text = f"{delivery.content}\n" + "a long letter\n" * 50_000
        return Letter(to="anna@example.com", subject="Bell", text=text, language="en")

    server = MailServer(host="127.0.0.1", port=mail, security="none")
    channels: dict[str, Channel] = {
        "webhook": WebhookChannel(endpoint_of, Resolver(networks_of("127.0.0.0/8")), now=now, insecure=True),
        "mail": MailChannel(server, letter_of, sender="bells@example.com", now=now),
    }
    belfry = await start_belfry(database)
    workers: list[RunsUntilStopped] = [belfry.follower(channels=tuple(channels)), belfry.sender(channels)]
    async with asyncio.TaskGroup() as tasks:
        for worker in workers:
            tasks.create_task(worker.run(asyncio.Event()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
