"""`throughline clock`: what time it is in the company, and moving it forward."""

import asyncio
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from deploy.cli.output import Json, show

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
STEP = re.compile(r"\+(\d{1,5})([mhdw])", re.ASCII)

SETTINGS = {"ignore_unknown_options": True}
"""A step back looks like an option; it is refused as what it is."""


def run(
    step: Annotated[str | None, typer.Argument(help="How far forward, like +3d; units are m, h, d and w.")] = None,
    to: Annotated[str | None, typer.Option(help="Until when, like 2026-12-31 or 2026-12-31T09:00.")] = None,
    json: Json = False,
) -> None:
    """Show the company clock, or move it forward for all services. It never goes back."""
    if step and to:
        raise typer.BadParameter("Either a step or --to.")
    if step:
        length_of(step)  # refused before anybody is asked
    ahead = asyncio.run(clock(step, to))
    now = datetime.now(UTC) + max(ahead.values())
    shape = {
        "now": now.isoformat(timespec="seconds"),
        "ahead_seconds": {service: by.total_seconds() for service, by in ahead.items()},
    }
    text = f"{now.isoformat(sep=' ', timespec='seconds')}, {said(max(ahead.values()))}"
    if len(set(ahead.values())) > 1:
        text += "\nNot all agree; moving the clock brings them together."
        text += "".join(f"\n  {service:<12} {said(by)}" for service, by in ahead.items())
    show(shape, text, json)


def said(ahead: timedelta) -> str:
    return f"{ahead} ahead of real time" if ahead else "real time"


async def clock(step: str | None, to: str | None) -> dict[str, timedelta]:
    """How far the clock of every service is ahead of real time, after moving them. Raises LocalError."""
    from deploy.cli.databases import this_stack
    from deploy.cli.issuer import issue
    from deploy.services import SERVICES

    stack = this_stack()
    urls = {service: f"{stack.url(service)}/clock" for service in SERVICES}
    ahead = await _asked(urls)
    if step is None and to is None:
        return ahead
    real = datetime.now(UTC)
    until = target(real + max(ahead.values()), step, to, stack.environment.get("COMPANY_TIMEZONE") or "UTC")
    token = (await issue(stack, role="service"))["access_token"]
    # Whole seconds, which is what services take; one that was behind catches up with the others.
    goal = math.ceil((until - real).total_seconds())
    steps = {service: math.ceil(goal - by.total_seconds()) for service, by in ahead.items()}
    return await _asked(urls, steps, token)


def target(now: datetime, step: str | None, to: str | None, timezone: str) -> datetime:
    """Where to move the clock; a date is its beginning in the company's time zone. Raises LocalError."""
    from deploy.local.fault import LocalError

    if step is not None:
        return now + length_of(step)
    try:
        moment = parsed(to or "", ZoneInfo(timezone))
    except ValueError as error:
        raise LocalError(f"{to!r} is no date.", "Write it like 2026-12-31 or 2026-12-31T09:00.") from error
    if moment < now:
        raise LocalError(
            f"It is {now.isoformat(sep=' ', timespec='seconds')} already, and the clock never goes back.",
            "`make clean` begins anew, without the data.",
        )
    return moment


def length_of(step: str) -> timedelta:
    """How long a step forward is. Raises LocalError."""
    from deploy.local.fault import LocalError

    found = STEP.fullmatch(step)
    if not found:
        raise LocalError(
            f"{step!r} is no step forward, and the clock never goes back.",
            "Write it like +3d; units are m, h, d and w.",
        )
    return int(found[1]) * UNITS[found[2]]


def parsed(text: str, timezone: ZoneInfo) -> datetime:
    """A date or a moment; without an offset it is meant in the company's time zone."""
    if len(text) == len("2026-12-31"):
        return datetime.combine(date.fromisoformat(text), time(), timezone)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone)


async def _asked(
    urls: Mapping[str, str], steps: Mapping[str, int] | None = None, token: str = ""
) -> dict[str, timedelta]:
    """How far ahead, after a step of each service's own where steps are given. Raises LocalError."""
    import httpx

    from deploy.local.fault import LocalError

    ahead: dict[str, timedelta] = {}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(timeout=10, headers=headers, trust_env=False) as client:
        for service, url in urls.items():
            try:
                answer = await (
                    client.get(url) if steps is None else client.post(url, json={"seconds": steps[service]})
                )
                told: dict[str, Any] = answer.raise_for_status().json()
            except httpx.HTTPError as error:
                moved = f" Already moved: {', '.join(ahead)}." if steps and ahead else ""
                raise LocalError(
                    f"The clock of {service} cannot be reached ({type(error).__name__}).{moved}",
                    "See `throughline status`; then move the clock with --to, so that nobody moves twice.",
                ) from error
            ahead[service] = timedelta(seconds=told["ahead_seconds"])
    return ahead
