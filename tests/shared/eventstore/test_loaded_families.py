"""What a loader reads under an id of another family is none of it, and what is appended goes on from what it is."""

from shared.commands.loaders import LoaderContext
from shared.commands.request import CommandRequest
from shared.eventstore.claims import ClaimHasher
from shared.eventstore.streams import StreamCache
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import CODEC, SERVICE_ACTOR, Counter, OpenTicket, counter, ticket


async def test_a_thing_that_was_looked_for_in_another_family_first_is_what_it_is(process: Process) -> None:
    opened = new_id()
    await process.commands.execute(CommandRequest(ticket, opened, OpenTicket(email="ann@example.com"), SERVICE_ACTOR))
    streams = StreamCache(process.pool, CODEC)
    reader = LoaderContext(process.appender.holders, streams, ClaimHasher(b"0123456789abcdef"), None)
    for families in ((counter, ticket), (ticket, counter)):
        states = {each.name: await reader.state(each, opened) for each in families}
        assert states["counter"] == (Counter(), 0)
        assert reader.loaded[opened].sequence == states["ticket"][1] == 1
        reader = LoaderContext(process.appender.holders, streams, ClaimHasher(b"0123456789abcdef"), None)
