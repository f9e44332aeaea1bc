"""An issuer and a service, both on real sockets, over a database of their own. The broker is away."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from deploy.local.identity import Issuer, Person, SigningKeys, build_identity
from shared.domain.roles import Role
from shared.http.context import ServiceContext
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.service.build import build
from shared.testing.servers import DatabaseServer
from tests.shared.http.sample import SERVICE
from tests.shared.http.waiting import until

structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()])

SECRET = "the secret of the stack of these tests"


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """An application on a socket of its own; gives its address."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, http="httptools")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """The service at work, and who may ask it."""

    app: FastAPI
    issuer: Issuer
    settings: Settings

    @property
    def running(self) -> ServiceContext:
        return self.app.state.service  # type: ignore[no-any-return]

    def client(self, role: Role | None = Role.SALES_OPERATIONS, subject: str = "ops") -> httpx.AsyncClient:
        """Somebody in a role; nobody without one."""
        headers = {}
        if role is not None:
            token = self.issuer.token(Person(subject=subject, name=subject, role=role), 600)
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://errands.test", headers=headers)


@pytest.fixture(scope="session")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Issuer]:
    """The development issuer on a socket."""
    home: Path = tmp_path_factory.mktemp("identity")
    keys = SigningKeys(home / "identity-keys.json")
    keys.load()
    app = build_identity(home, "http://127.0.0.1/identity", secret=SECRET)
    async with served(app) as address:
        yield Issuer(home=home, address=f"{address}/identity", audience="throughline", keys=keys)


@pytest.fixture(scope="session")
async def errands(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """The service, migrated and started."""
    url = await postgres.create_database("errands", await postgres.migrated())
    settings = replace(
        Settings(service="errands", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap="127.0.0.1:9",
        origin="http://errands.test",
        development=True,
        rate_limit="",
    )
    app = build(SERVICE, settings)
    async with app.router.lifespan_context(app):
        yield Errands(app=app, issuer=issuer, settings=settings)
    await postgres.drop_database(url)


@pytest.fixture
def operations(errands: Errands) -> httpx.AsyncClient:
    """Somebody from sales operations."""
    return errands.client()


_numbers = itertools.count()


@pytest.fixture
def key() -> Callable[[], dict[str, str]]:
    """Headers with a new Idempotency-Key at each call."""
    return lambda: {"Idempotency-Key": f"key-{next(_numbers)}"}


BREAD: dict[str, Any] = {"name": "Bread", "price": {"amount": "3.50", "currency": "EUR"}}


@pytest.fixture
async def opened(operations: httpx.AsyncClient) -> httpx.Response:
    """An open errand's answer."""
    response = await operations.post("/v1/errands", json=BREAD, headers={"Idempotency-Key": str(new_id())})
    assert response.status_code == 201, response.text
    return response
