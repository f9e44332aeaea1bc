"""Timers: a scheduler of commands that run once the company clock reaches their time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from shared.commands.appending import decode_command
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, Refused
from shared.domain.aggregate import Aggregate
from shared.domain.context import service_actor
from shared.domain.follow_up import Settle, follow_up
from shared.domain.rejection import Rejected
from shared.events.follow_ups import Asked, follow_up_events, of_timer
from shared.eventstore.append import Idempotency
from shared.eventstore.leader_election import hold
from shared.eventstore.lease import Held, Leases
from shared.ops.clock import Clock
from shared.ops.health import Health
from shared.ops.stopping import pause

log = structlog.get_logger(__name__)

PAGE = 200
AT_ONCE = 20
POLL_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 300

DUE = """
select aggregate_id, name, aggregate, due, generation, command, attempts from timer
 where due <= $1 and next_attempt_at <= clock_timestamp() order by due limit $2"""
SET_BY = "select event_id, correlation_id from event where aggregate_id = $1 and sequence = $2"
"""The event that set a timer; its sequence is the timer's generation."""
DONE = "delete from timer where aggregate_id = $1 and name = $2 and generation = $3"
# What fails moves back, so that it never fills every page and starves the rest.
LATER = """
update timer set attempts = attempts + 1,
       next_attempt_at = clock_timestamp() + make_interval(secs => least(power(2, attempts), $4))
 where aggregate_id = $1 and name = $2 and generation = $3"""

FAILING_ATTEMPTS = 5
"""From so many failed attempts in a row on (about half a minute of back-off), a timer is a matter of health."""
FAILING = """
select aggregate, name, count(*) as timers, min(due) as since from timer
 where attempts >= $1 group by 1, 2 order by 1, 2"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """One row."""

    aggregate_id: UUID
    name: str
    aggregate: str
    due: datetime
    generation: int
    command: str
    attempts: int


class Timers:
    """Runs the commands of due timers through the write path, as the service itself."""

    def __init__(
        self, service: str, *, pool: asyncpg.Pool, commands: CommandExecutor, clock: Clock, health: Health
    ) -> None:
        self._service = service
        self._pool = pool
        self._health = health
        self._commands = commands
        self._clock = clock
        self._actor = service_actor(service)
        self._principal = f"timer:{service}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Fire what is due, in one process at a time, until `stopping` is set."""

        async def work(_held: Held) -> None:
            while not stopping.is_set():
                await self._clock.refresh(self._pool)
                fired = await self.fire_due()
                await self.report_failing()
                if fired < PAGE:
                    await pause(stopping, POLL_SECONDS)

        await hold(Leases(self._pool, ["timers"]), work, stopping, name="timers", health=self._health)

    async def fire_due(self) -> int:
        """Fire a page of what is due now; how many there were."""
        rows = await self._pool.fetch(DUE, self._clock.now(), PAGE)
        streams: dict[UUID, list[DueTimer]] = {}
        for row in rows:
            streams.setdefault(row["aggregate_id"], []).append(DueTimer(**dict(row)))
        left = iter(streams.values())

        async def fire_streams() -> None:
            for timers in left:
                for timer in timers:
                    await self._fire(timer)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(streams))):
                group.create_task(fire_streams())
        return len(rows)

    async def report_failing(self) -> None:
        """Report timers that fail again and again: what they should bring about is missing until that is mended."""
        rows = await self._pool.fetch(FAILING, FAILING_ATTEMPTS)
        told = [
            f"{row['timers']} {row['name']} of {row['aggregate']}, the oldest due {row['since']:%Y-%m-%dT%H:%MZ}"
            for row in rows
        ]
        detail = f"failed {FAILING_ATTEMPTS} times or more: {'; '.join(told)}" if told else "works"
        self._health.report("timers", not told, detail)

    async def _fire(self, timer: DueTimer) -> None:
        place = (timer.aggregate_id, timer.name, timer.generation)
        about = {"timer": timer.name, "aggregate": timer.aggregate, "aggregate_id": str(timer.aggregate_id)}
        try:
            await self._execute(timer, about)
        except Exception as problem:  # one timer that cannot run must not keep the others from running
            failed = not isinstance(problem, Refused)
            log.warning("timer-failed", **about, attempts=timer.attempts + 1, exc_info=failed)
            await self._pool.execute(LATER, *place, MAX_BACK_OFF_SECONDS)
            return
        await self._pool.execute(DONE, *place)

    async def _execute(self, timer: DueTimer, about: Mapping[str, str]) -> None:
        request = self._request(timer)
        try:
            await self._commands.execute(request)
        except Rejected as refusal:
            log.info("timer-refused", **about, code=refusal.code)
            await self._tell(timer, request.command, refusal)

    async def _tell(self, timer: DueTimer, command: Any, refusal: Rejected) -> None:
        """Tell that a deadline came to nothing: once, as what followed from the event that set it."""
        set_by = await self._pool.fetchrow(SET_BY, timer.aggregate_id, timer.generation)
        told = follow_up_events(self._service).timer_refused(
            timer=timer.name,
            due=timer.due,
            asked=Asked(command=type(command).__name__, aggregate=timer.aggregate, aggregate_id=timer.aggregate_id),
            code=refusal.code,
            message=refusal.message,
        )
        await self._commands.execute(
            CommandRequest(
                follow_up(self._service),
                of_timer(timer.aggregate_id, timer.name, timer.generation),
                Settle(told=(told,)),
                self._actor,
                correlation_id=set_by["correlation_id"] if set_by else None,
                causation_id=set_by["event_id"] if set_by else None,
            )
        )

    def _request(self, timer: DueTimer) -> CommandRequest:
        aggregate = self._commands.aggregates[timer.aggregate]
        return CommandRequest(
            aggregate=aggregate,
            aggregate_id=timer.aggregate_id,
            command=decode_command(aggregate, timer.command),
            actor=self._actor,
            idempotency=Idempotency(
                principal=self._principal,
                operation=timer.name,
                key=f"{timer.aggregate_id}/{timer.generation}",
                request_hash=b"",
            ),
            precondition=_still_set(aggregate, timer),
        )


def _still_set(aggregate: Aggregate, timer: DueTimer) -> Callable[[Any], bool]:
    """Whether a state still has the timer: it may have been cancelled or set anew since its row was read. Decided on
    the state that the append checks, so nothing can come in between."""

    def still_set(state: Any) -> bool:
        running = aggregate.timers_of(state).get(timer.name)
        return running is not None and running.due == timer.due

    return still_set
