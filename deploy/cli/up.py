"""`throughline up`: the whole stack on this machine, with a company in it."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.output import Json, say, show
from deploy.cli.services import known_service

if TYPE_CHECKING:
    from deploy.local.identity import Person


def run(
    service: Annotated[str | None, typer.Argument(help="Start this service again after `down` with its name.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Without any company: nothing is imported.")] = False,
    json: Json = False,
) -> None:
    """Start everything on this machine, with the demo company or an export (DATA=<folder>).

    Running it twice is harmless. SIMULATE=0 leaves the people of the demo company at home.
    """
    from deploy.demo.company import DEMO, choose, marker, move_in
    from deploy.local.control import bring_up, is_supervised, let_go
    from deploy.local.home import Home
    from deploy.local.stack import Stack, home_path

    home = Home(home_path().resolve())
    if service is not None:
        if empty:
            raise typer.BadParameter("--empty is for the whole stack.")
        known_service(service)
        asyncio.run(let_go(home, service))
        show({"started": service}, f"{service} is ready.", json)
        return
    wanted = choose(home.path, os.environ.get("DATA"))
    works = not empty and wanted.kind == DEMO and simulated(os.environ.get("SIMULATE"))
    stack = Stack.at(
        home_path(), choose_ports=not is_supervised(home), simulate_after=marker(home.path) if works else None
    )
    state = asyncio.run(bring_up(stack, say))
    result: dict[str, Any] = {"origin": state["origin"], "kafka": state["kafka"]}
    if not empty:
        result["company"] = dict(asyncio.run(move_in(stack, wanted, say)))
    show(result, welcome(state["origin"], result.get("company")), json)


def simulated(given: str | None) -> bool:
    """Whether the simulated people go to work. Raises LocalError."""
    from deploy.local.fault import LocalError
    from shared.ops.settings import switch

    try:
        return switch(given or "1")
    except ValueError as error:
        raise LocalError(f"SIMULATE is {given!r}.", f"It {error}.") from None


def welcome(origin: str, company: Mapping[str, Any] | None) -> str:
    """What a person reads at the end: the address, who they can be, and three things to try."""
    from deploy.demo.company import EXPORT, demo_people

    answers = f"Throughline answers at {origin}"
    if company is None:
        return answers
    lines = [answers, "", f"Sign in at {origin}/identity/sign-in, where everybody has a button."]
    if company["kind"] == EXPORT:
        return "\n".join([*lines, *_try_out(origin, "--role executive")])
    for person in _one_each(demo_people()):
        lines.append(f"  {person.role:<17} {person.name:<20} {person.team or ''}".rstrip())
    return "\n".join([*lines, *_try_out(origin, "--role manager --team South")])


def _one_each(people: "Iterable[Person]") -> "list[Person]":
    """The first person of each role."""
    found: dict[str, Person] = {}
    for person in people:
        found.setdefault(person.role, person)
    return list(found.values())


def _try_out(origin: str, who: str) -> list[str]:
    return [
        "",
        "Four things to try:",
        f"  1. Open {origin} : the five deals that endanger the quarter, and why.",
        f"  2. Look back: open {origin}/?as_of=… with a past day, and every figure is what it was then.",
        f"  3. See what is sent outside: {origin}/mailbox (whoever wants mail says so: docs/how-to/webhooks.md).",
        "  4. Ask over HTTP:",
        f'     curl --noproxy "*" -H "Authorization: Bearer $(.venv/bin/throughline token {who})" {origin}/v1/forecast',
    ]
