"""Waiting until what a token names has arrived here (API-2).

A token of our own log is there once the views of the log have passed it. One of another service has to pass the whole
way: journaled, folded by the views of the journal and answered by the reactions, whose own events then have to reach
the views of our log. Each step waits for what the step before has left at its end.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from asyncpg import Pool

from shared.store.pool import within
from shared.store.signal import Signal
from shared.views.tokens import ConsistencyToken
from shared.views.view import Source, View

POLL_SECONDS = 0.02
"""How often marks are looked at while another process moves them; in this process a signal comes first."""

BEHIND = """
    select exists (
        select from view_build b join mark m on m.name = b.view || '_' || b.build
         where b.state = 'serving' and b.view = any($1::text[]) and m.position < $3
        union all
        select from unnest($2::text[]) as wanted(name) left join mark m using (name)
         where coalesce(m.position, 0) < $3
    )
"""
JOURNALED = "select position >= $3 from journal_mark where topic = $1 and partition = $2"


class HasHead(Protocol):
    """The one thing that waiting needs of a log."""

    async def head(self) -> int: ...


class ReadModelBehind(Exception):
    """What the token names has not arrived in time (503 `read-model-behind`)."""

    def __init__(self, token: ConsistencyToken) -> None:
        super().__init__(f"{token.service} {token.position} has not arrived yet")
        self.token = token


class Arrival:
    """The marks of a service, and how to wait for them.

    `reactions` names the marks of the reactions that run (`reactions-journal`); `topics` are those that the service
    journals: a token of any other topic has nothing to wait for.
    """

    def __init__(
        self,
        pool: Pool,
        service: str,
        *,
        views: Sequence[View],
        reactions: Collection[str],
        topics: Collection[str],
        log: HasHead,
        journal: HasHead,
        advanced: Signal,
    ) -> None:
        self._pool = pool
        self._service = service
        self._views = {source: [view.name for view in views if view.source == source] for source in _SOURCES}
        self._reactions = {source: [name for name in reactions if name == f"reactions-{source}"] for source in _SOURCES}
        self._topics = frozenset(topics)
        self._log = log
        self._journal = journal
        self._advanced = advanced

    async def wait_for(self, token: ConsistencyToken, timeout: float = 2.0) -> None:  # noqa: ASYNC109
        """Return once every view holds what the token names. `ReadModelBehind` after `timeout` seconds."""
        try:
            if token.service == self._service:
                await within(timeout, self._passed("log", token.position))
            elif token.topic in self._topics:
                await within(timeout, self._arrived(token))
        except TimeoutError:
            raise ReadModelBehind(token) from None

    async def _arrived(self, token: ConsistencyToken) -> None:
        await self._until(JOURNALED, token.topic, token.partition, token.position)
        await self._passed("journal", await self._journal.head(), reactions=True)
        await self._passed("log", await self._log.head())

    async def _passed(self, source: Source, position: int, *, reactions: bool = False) -> None:
        names = self._reactions[source] if reactions else []
        await self._until(f"select not ({BEHIND})", self._views[source], names, position)

    async def _until(self, condition: str, *arguments: object) -> None:
        while True:
            seen = self._advanced.count
            if await self._pool.fetchval(condition, *arguments):
                return
            await self._advanced.wait(seen, POLL_SECONDS)


_SOURCES: tuple[Source, Source] = ("log", "journal")
