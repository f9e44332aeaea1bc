"""Which service owns which path, asked of the services themselves: there is no second list to keep."""

from fastapi import FastAPI

from deploy.services import definition_of
from shared.http.dry_runs import DRY_RUNS, V1
from shared.ops.settings import Settings
from shared.service.build import build


def application(service: str, settings: Settings) -> FastAPI:
    """The application of a service; nothing is connected before it is served."""
    return build(definition_of(service), settings)


def owned_segments(services: tuple[str, ...]) -> dict[str, str]:
    """What comes first after `/v1/`, or after `/v1/dry-runs/` with that, to the name of the service that owns it.

    Raises ValueError when two services own one.
    """
    owners: dict[str, str] = {}
    for service in services:
        for segment in segments_of(application(service, settings_without_servers(service))):
            if owners.setdefault(segment, service) != service:
                raise ValueError(f"{owners[segment]} and {service} both own /v1/{segment}")
    return owners


def segments_of(app: FastAPI) -> set[str]:
    paths = app.openapi().get("paths", {})
    return {_segment(path) for path in paths if path.startswith(V1)}


def _segment(path: str) -> str:
    above = DRY_RUNS if path.startswith(DRY_RUNS) else V1
    return above.removeprefix(V1) + path.removeprefix(above).split("/")[0]


def settings_without_servers(service: str) -> Settings:
    """Enough to build an application that only shows its routes."""
    return Settings(
        service=service,
        database_url="postgresql://nobody@127.0.0.1/nothing",
        claim_secret="only for looking at routes, never for data",  # noqa: S106
    )
