"""What the product is held against: the same command on FastAPI alone, and on FastAPI with the `eventsourcing` library.

Both check the bearer token with the product's own code (joserfc, remembered for a minute) and take the same body. The
library runs as its documentation advises: its PostgreSQL recorder, a plain `def` route, which FastAPI runs in a thread.
There is no idempotency, no look-up of the asker's team, no relay. The environment says whether the recorder inserts by
statements (its default) or by a function in the database (`POSTGRES_ENABLE_DB_FUNCTIONS`).

`project` is the library's projection runner: it folds a funnel of what the application records; `fill` records it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from fastapi import Depends, FastAPI, HTTPException, Request
from psycopg.sql import SQL
from pydantic import BaseModel, ConfigDict, Field

from shared.domain.roles import SELLING
from shared.http.authentication import IssuerKeys, Tokens, fetch_keys
from shared.http.problems import Problem

PATH, NOTHING = "/deals", "/nothing"


class Money(BaseModel):
    """An amount in a currency."""

    model_config = ConfigDict(extra="forbid")
    amount: Decimal
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class OpenDeal(BaseModel):
    """A new sale."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=200)]
    amount: Money
    expected_close: date
    source: str


class Made(BaseModel):
    """Where the command led."""

    id: UUID
    version: int


class Deal(Aggregate):
    """A sale, as the library keeps one."""

    @event("Opened")
    def __init__(self, name: str, amount: Decimal, currency: str, expected_close: str, source: str, owner: str):
        self.name = name
        self.amount = amount
        self.currency = currency
        self.expected_close = expected_close
        self.source = source
        self.owner = owner


class Deals(Application[UUID]):
    """Sales; the environment names the recorder."""

    def open(self, wanted: OpenDeal, owner: str) -> Deal:
        """Open a deal; it is durable on return."""
        deal = Deal(
            name=wanted.name,
            amount=wanted.amount.amount,
            currency=wanted.amount.currency,
            expected_close=wanted.expected_close.isoformat(),
            source=wanted.source,
            owner=owner,
        )
        self.save(deal)
        return deal


async def asker(request: Request) -> str:
    """The subject of the bearer token, who has to have a role that sells."""
    tokens: Tokens = request.app.state.tokens
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        claims = await tokens.claims(token)
    except Problem as problem:
        raise HTTPException(problem.status, problem.detail) from problem
    if scheme.lower() != "bearer" or SELLING.keys().isdisjoint(claims["roles"]):
        raise HTTPException(403, "None of your roles allows this.")
    return str(claims["sub"])


Asker = Annotated[str, Depends(asker)]


@asynccontextmanager
async def _with_tokens(app: FastAPI) -> AsyncIterator[None]:
    issuer = os.environ["OIDC_ISSUER"]
    async with httpx.AsyncClient() as client:
        keys = IssuerKeys(fetch_keys(client, issuer, os.environ["OIDC_JWKS_URL"]))
        app.state.tokens = Tokens(keys, issuer=issuer, audience="throughline")
        yield


def without_database() -> FastAPI:
    """The route on FastAPI alone: what the framework takes."""
    app = FastAPI(lifespan=_with_tokens)

    @app.post(PATH, status_code=201)
    async def open_deal(wanted: OpenDeal, owner: Asker) -> Made:
        return Made(id=uuid4(), version=1)

    @app.get(NOTHING)
    async def nothing(owner: Asker) -> Made:
        """A question that needs no answer: what the framework takes."""
        return Made(id=uuid4(), version=1)

    return app


def with_eventsourcing() -> FastAPI:
    """The route on the library."""
    app, deals = FastAPI(lifespan=_with_tokens), Deals()

    @app.post(PATH, status_code=201)
    def open_deal(wanted: OpenDeal, owner: Asker) -> Made:
        deal = deals.open(wanted, owner)
        return Made(id=deal.id, version=deal.version)

    return app


class Funnel(PostgresTrackingRecorder):
    """Number and worth of deals by source: a row and the place in the log, in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **options: Any):
        super().__init__(datastore, **options)
        self.sql_create_statements.append(
            SQL("create table if not exists funnel (source text primary key, number bigint, amount numeric)").format()
        )

    def add(self, source: str, amount: Decimal, tracking: Tracking) -> None:
        """Count one deal."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "insert into funnel values (%s, 1, %s) on conflict (source) do update"
                " set number = funnel.number + 1, amount = funnel.amount + excluded.amount",
                (source, amount),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)


class FunnelProjection(Projection[Funnel]):
    """Folds what happens to deals into the funnel."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """The library's dispatch by the class of the event."""

    @process_event.register
    def _opened(self, domain_event: Deal.Opened, tracking: Tracking) -> None:  # type: ignore[name-defined,unused-ignore]
        self.view.add(domain_event.source, domain_event.amount, tracking)


def fill(events: int) -> None:
    """Record so many openings, some hundred in a transaction: what is there to be folded."""
    deals, batch = Deals(), 500
    for begin in range(0, events, batch):
        deals.save(
            *(
                Deal(
                    name=f"Press line {number}",
                    amount=Decimal(1000 + number * 37 % 90_000),
                    currency="EUR",
                    expected_close="2026-11-30",
                    source=("referral", "website", "fair")[number % 3],
                    owner=f"rep-{number % 200}",
                )
                for number in range(begin, min(begin + batch, events))
            )
        )
    deals.close()


def project() -> None:
    """Follow the application until this process is ended."""
    with ProjectionRunner(application_class=Deals, projection_class=FunnelProjection, view_class=Funnel) as runner:
        runner.run_forever()
