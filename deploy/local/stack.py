"""The composition of a local stack: which programs, where, on which ports, in which order."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local import gateway, kafka, postgres
from deploy.local.environment import settings_in
from deploy.local.fault import LocalError
from deploy.local.gateway import GatewayPlace
from deploy.local.home import Home
from deploy.local.kafka import KafkaPlace
from deploy.local.plan import ALIVE, Plan, Service, Step
from deploy.local.ports import LOOPBACK, reached, remembered, require_free
from deploy.local.postgres import PostgresPlace
from deploy.local.program import Program
from deploy.services import SERVICES

IDENTITY = "identity"
"""The development issuer: a small process of its own, which knows no database."""

MAILBOX, MAILBOX_SMTP = "mailbox", "mailbox-smtp"
"""Where mail and webhooks of a development stack arrive, and the port on which it takes mail."""

WAY_TO_AN_ISSUER = ("OIDC_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Settings that are of no concern to the stack's own issuer, which is reached on the loopback address."""

FEW_PARTITIONS = "3"
"""Of each topic, on the stack's own broker: every fetch names all of them, and one process reads them all."""

CHECKOUT = Path(__file__).resolve().parent.parent.parent
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that runs in one home. Servers whose addresses the environment gives are not started."""

    home: Home
    postgres: PostgresPlace
    kafka: KafkaPlace
    ports: Mapping[str, int]
    origin_port: int
    environment: Mapping[str, str]
    simulate_after: Path | None = None
    """The file with whose coming the simulated people go to work; none without them."""

    @classmethod
    def at(
        cls,
        path: Path,
        *,
        durable: bool = True,
        environment: Mapping[str, str] = os.environ,
        choose_ports: bool = True,
        simulate_after: Path | None = None,
    ) -> "Stack":
        """The stack in a folder, which is made ready. Raises LocalError.

        `choose_ports=False` takes the ports as they were last given: for commands beside a stack that runs.
        """
        home = Home(path.resolve())
        home.prepare()
        names = ["postgresql", "kafka", "kafka-controller", IDENTITY, MAILBOX, MAILBOX_SMTP, *SERVICES]
        ports = remembered(home, names, choose=choose_ports)
        return cls(
            home=home,
            postgres=PostgresPlace(home, ports["postgresql"], durable),
            kafka=KafkaPlace(home, ports["kafka"], ports["kafka-controller"]),
            ports=ports,
            origin_port=origin_port(environment),
            environment=environment,
            simulate_after=simulate_after,
        )

    @property
    def host(self) -> str:
        """Where the gateway listens. What stands behind it listens on the loopback address only."""
        return self.environment.get("HOST") or LOOPBACK

    @property
    def origin(self) -> str:
        return self.environment.get("ORIGIN") or f"http://{reached(self.host)}:{self.origin_port}"

    @property
    def bootstrap(self) -> str:
        return self.environment.get("KAFKA_BOOTSTRAP") or self.kafka.bootstrap

    @property
    def runs_kafka(self) -> bool:
        return not self.environment.get("KAFKA_BOOTSTRAP")

    @property
    def runs_postgres(self) -> bool:
        return any(not self.environment.get(url_setting(service)) for service in SERVICES)

    def database_url(self, service: str) -> str:
        return self.environment.get(url_setting(service)) or postgres.service_url(self.postgres, service)

    def url(self, process: str) -> str:
        """Where a process listens; only this machine reaches it."""
        return f"http://{LOOPBACK}:{self.ports[process]}"

    def settings(self) -> dict[str, str]:
        """The settings that all processes of this stack share; the environment's own count where it has any."""
        issuer = f"{self.origin}/identity"
        chosen = {
            "PORT": str(self.origin_port),
            "ORIGIN": self.origin,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "CLAIM_SECRET": self.home.secret("claims"),
            "DEVELOPMENT": "1",
            "OIDC_ISSUER": issuer,
            # Straight to the issuer: services need not wait for the gateway, which waits for them.
            "OIDC_JWKS_URL": f"{self.url(IDENTITY)}/identity/jwks",
            "SMTP_URL": f"smtp+plain://{LOOPBACK}:{self.ports[MAILBOX_SMTP]}",
            "SMTP_FROM": "notices@throughline.example",
            # The receiver of webhooks is on this machine.
            "WEBHOOK_NETWORKS": f"{LOOPBACK}/32",
        }
        own = {"THROUGHLINE_HOME": str(self.home.path), "HOST": LOOPBACK}
        if self.runs_kafka:
            chosen["KAFKA_PARTITIONS"] = FEW_PARTITIONS
        if self.environment.get("OIDC_ISSUER"):
            del chosen["OIDC_JWKS_URL"]
        else:
            own |= dict.fromkeys(WAY_TO_AN_ISSUER, "")
        chosen = {name: self.environment.get(name) or value for name, value in chosen.items()}
        return {**settings_in(self.environment), **chosen, **own}

    def database_settings(self) -> dict[str, str]:
        return {url_setting(service): self.database_url(service) for service in SERVICES}

    def servers(self, jars: Path) -> tuple[Step, ...]:
        """PostgreSQL and Kafka, as far as this stack runs them. Raises LocalError."""
        steps = []
        if self.runs_postgres:
            steps.append(Step(program=postgres.prepare(self.postgres), ready=self.postgres.url))
        if self.runs_kafka:
            steps.append(Step(program=kafka.prepare(self.kafka, jars), ready=f"kafka://{self.kafka.bootstrap}"))
        return tuple(steps)

    def plan(self, jars: Path, segments: Mapping[str, str]) -> Plan:
        """The whole stack. `segments` says which service owns which first path segment. Raises LocalError."""
        require_free(self.origin_port)
        servers = self.servers(jars)
        migration = Step(
            program=Program(
                name="migrate", argv=throughline("migrate"), env={**self.settings(), **self.database_settings()}
            ),
            after=tuple(step.program.name for step in servers if step.program.name == "postgresql"),
        )
        services = tuple(self.service(name, after=("migrate", IDENTITY)) for name in SERVICES)
        place = GatewayPlace(
            home=self.home,
            host=self.host,
            port=self.origin_port,
            segments=segments,
            upstreams={name: f"{LOOPBACK}:{self.ports[name]}" for name in (*SERVICES, IDENTITY, MAILBOX)},
        )
        entrance = Step(program=gateway.prepare(place), ready=place.ready_url, after=(IDENTITY,))
        return Plan(
            origin=self.origin,
            kafka=self.bootstrap,
            steps=(*servers, migration, self.identity(), self.mailbox(), *services, entrance, *self.simulator()),
            services={
                name: Service(url=self.url(name), database=without_password(self.database_url(name)))
                for name in SERVICES
            },
        )

    def identity(self) -> Step:
        environment = {
            **self.settings(),
            "SERVICE_PORT": str(self.ports[IDENTITY]),
            "STACK_SECRET": self.home.secret("stack"),
        }
        program = Program(name=IDENTITY, argv=throughline("serve", IDENTITY), env=environment, stop_order=30)
        return Step(program=program, ready=f"{self.url(IDENTITY)}/identity/ready")

    def mailbox(self) -> Step:
        environment = {
            **self.settings(),
            "SERVICE_PORT": str(self.ports[MAILBOX]),
            "MAILBOX_SMTP_PORT": str(self.ports[MAILBOX_SMTP]),
        }
        program = Program(name=MAILBOX, argv=throughline("serve", MAILBOX), env=environment, stop_order=30)
        return Step(program=program, ready=f"{self.url(MAILBOX)}/mailbox/ready")

    def simulator(self) -> tuple[Step, ...]:
        """The people of the demo company, who need everything else."""
        if self.simulate_after is None:
            return ()
        argv = throughline("simulate", "--after", str(self.simulate_after))
        program = Program(name="simulator", argv=argv, env=self.settings(), stop_order=10)
        return (Step(program=program, ready=ALIVE, after=(*SERVICES, "gateway")),)

    def service(self, name: str, after: tuple[str, ...]) -> Step:
        environment = {
            **self.settings(),
            url_setting(name): self.database_url(name),
            "SERVICE_PORT": str(self.ports[name]),
        }
        # A service first ends what it is answering, within 20 s.
        program = Program(name=name, argv=throughline("serve", name), env=environment, stop_order=20, stop_seconds=25)
        return Step(program=program, ready=f"{self.url(name)}/health/ready", after=after)


def origin_port(environment: Mapping[str, str] = os.environ) -> int:
    """The port of the one origin. Raises LocalError."""
    given = environment.get("PORT") or str(DEFAULT_PORT)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 65_535:
        raise LocalError(f"PORT is {given!r}, which is no port.", "Give a number from 1 to 65535.")
    return int(given)


def home_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the stack of this checkout lives."""
    return Path(environment.get("THROUGHLINE_HOME") or CHECKOUT / ".throughline")


def throughline(*words: str) -> tuple[str, ...]:
    """A command of this very installation."""
    return (sys.executable, "-m", "deploy.cli.main", *words)


def url_setting(service: str) -> str:
    return f"DATABASE_URL_{service.upper()}"


def without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    said = [each for each in parts.query.split("&") if each.partition("=")[0] not in {"password", "sslpassword"}]
    netloc = f"{parts.username}@{host}" if parts.username else host
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(said)))
