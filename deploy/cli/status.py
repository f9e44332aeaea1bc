"""`throughline status`: what runs, and what lags behind."""

import asyncio
from collections.abc import Mapping
from typing import Any

from deploy.cli.output import Json, show


def run(json: Json = False) -> None:
    """Show what runs, how often it was started again, and how far each part lags behind."""
    from deploy.local.control import is_supervised, state
    from deploy.local.fault import LocalError
    from deploy.local.home import Home
    from deploy.local.stack import home_path

    home = Home(home_path().resolve())
    now = state(home)
    if not now:
        raise LocalError("Nothing is running.", "Start it with `make demo`.")
    if not is_supervised(home):
        raise LocalError("The supervisor has died; what it started may still run.", "Run `make stop`, then start anew.")
    urls = {name: service["url"] for name, service in now["services"].items() if service["pid"] is not None}
    shape = {
        "origin": now["origin"],
        "kafka": now["kafka"],
        "phase": now["phase"],
        "services": now["services"],
        "servers": now["servers"],
        **asyncio.run(health_of(urls)),
    }
    show(shape, as_text(shape), json)


async def health_of(urls: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """What the services say of workers that are not well and of what keeps them from being ready, and how far they lag,
    each with its service; one that does not answer says nothing."""
    import httpx

    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:

        async def ask(service: str, url: str) -> list[dict[str, Any]]:
            try:
                # With 503 when a worker is not well, and the same content.
                found = (await client.get(url)).json()
            except (httpx.HTTPError, ValueError):
                return []
            told: list[dict[str, Any]] = found if isinstance(found, list) else found.get("checks", [])
            return [{**one, "service": service} for one in told]

        async def all_of(path: str) -> list[dict[str, Any]]:
            answers = await asyncio.gather(*(ask(service, f"{url}{path}") for service, url in urls.items()))
            return [one for found in answers for one in found]

        checks, workers, lags = await asyncio.gather(
            all_of("/health/ready"), all_of("/health/workers"), all_of("/health/lags")
        )
    return {"troubles": [one for one in (*checks, *workers) if not one["ok"]], "lags": lags}


def as_text(shape: Mapping[str, Any]) -> str:
    lines = [f"{shape['origin']}   Kafka {shape['kafka']}   {shape['phase']}", ""]
    for name, program in {**shape["servers"], **shape["services"]}.items():
        ready = "held down" if program.get("held") else "ready" if program["ready"] else "not ready"
        process = "no process" if program["pid"] is None else f"process {program['pid']}"
        trouble = f"   {program['failure']}" if program["failure"] else ""
        lines.append(f"{name:<12} {ready:<10} {process:<15} restarts {program['restarts']}{trouble}")
    lines.append("")
    for worker in shape["troubles"]:
        lines.append(f"{worker['service']:<12} {worker['name']} is not well: {worker['detail']}")
    for lag in shape["lags"]:
        what = f"{lag['service']:<12} {lag['kind']:<9} {lag['name']:<28}"
        lines.append(f"{what} {lag['events']} events, {lag['seconds']:.1f} s behind")
    return "\n".join(lines).rstrip()
