"""Real servers for the tests: one PostgreSQL and one Kafka a session, started when the first test asks for them.

By default they come from the local stack, in a home that has nothing to do with the demo's. `TEST_DATABASE_URL` (a user
who may create databases) and `KAFKA_BOOTSTRAP` name servers that run already; `TEST_SERVERS=testcontainers` takes both
from Docker.

The fixtures are plain functions: what they start belongs to no event loop, so that tests on any loop may use it.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

import docker
import docker.errors
import pytest
from hypothesis import settings as hypothesis_settings

from deploy.local import kafka as local_kafka
from deploy.local import postgres as local_postgres
from deploy.local.control import bring_up, take_down
from deploy.local.home import Home
from deploy.local.ports import free_port
from deploy.local.program import stop_left_overs
from deploy.local.stack import Stack
from shared.testing.servers import DatabaseServer
from tests.class_sharing import share_classes
from tests.whole_stack import WholeStack

# A loaded machine is no failure: nothing here is timed but the bench.
hypothesis_settings.register_profile("throughline", deadline=None)
hypothesis_settings.load_profile("throughline")

CHECKOUT = Path(__file__).parent.parent
POSTGRES_IMAGE = "postgres:18-alpine"
KAFKA_IMAGE = "confluentinc/cp-kafka:8.0.0"
SESSIONS_AT_ONCE = 8
MEASURED = "measured"
JOURNEYS = "tests/journey/"


def from_docker() -> bool:
    chosen = os.environ.get("TEST_SERVERS", "local")
    if chosen not in ("local", "testcontainers"):
        raise pytest.UsageError(f"TEST_SERVERS is {chosen!r}; it may be 'local' or 'testcontainers'.")
    return chosen == "testcontainers"


def pytest_sessionstart() -> None:
    """Servers from Docker are wanted where none is: one sentence before the first test, not an error in each."""
    if from_docker():
        try:
            docker.from_env().ping()
        except docker.errors.DockerException as error:
            raise pytest.UsageError(
                f"TEST_SERVERS=testcontainers needs Docker, and none answers: {error}. "
                "Start it, or leave TEST_SERVERS out: then the tests start servers of their own."
            ) from None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Before the first test, if any of them starts a broker."""
    brokers = {"kafka", "test_stack", "stack", "empty_stack"}
    if not from_docker() and any(brokers & set(getattr(item, "fixturenames", ())) for item in session.items):
        share_classes()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tells a measurement, which is shown when all tests are through; nothing fails because of it.

    It goes with the test's report: the test may run in another process than the one that writes the summary.
    """
    return partial(record_property, MEASURED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Budgets as they were measured, and which journeys could not be tested on this machine."""
    for passed in terminalreporter.getreports("passed"):
        for sentence in [told for name, told in passed.user_properties if name == MEASURED]:
            terminalreporter.write_line(f"MEASURED: {sentence}")
    skipped = [each for each in terminalreporter.getreports("skipped") if each.nodeid.startswith(JOURNEYS)]
    reasons = {each.longrepr[2] for each in skipped if isinstance(each.longrepr, tuple)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT TESTED: {reason.removeprefix('Skipped: ')}", red=True, bold=True)


@pytest.fixture(scope="session")
def test_stack() -> Iterator[Stack]:
    """An empty local stack of this session alone; nothing in it runs yet."""
    with ExitStack() as claims:
        # Inside the claimed folder, which holds the claim.
        home = Home(claim_home(claims).path / "stack")
        asyncio.run(stop_left_overs(home))
        home.remove()
        yield Stack.at(home.path, durable=False)
        asyncio.run(stop_left_overs(home))


def claim_home(claims: ExitStack, name: str = "test") -> Home:
    """The first home of this name that no other session holds."""
    base = Path(os.environ.get("THROUGHLINE_HOME") or CHECKOUT / ".throughline")
    for number in range(1, SESSIONS_AT_ONCE + 1):
        home = Home(base.resolve() / (name if number == 1 else f"{name}-{number}"))
        if claims.enter_context(home.claim()):
            return home
    raise pytest.UsageError(f"{SESSIONS_AT_ONCE} test sessions run in {base} already.")


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A PostgreSQL server; `await postgres.create_database("name")` gives the URL of an empty database."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield DatabaseServer(given)
    elif from_docker():
        from testcontainers.community.postgres import PostgresContainer

        with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
            yield DatabaseServer(container.get_connection_url())
    else:
        stack: Stack = request.getfixturevalue("test_stack")
        running = asyncio.run(local_postgres.launch(stack.postgres))
        yield DatabaseServer(stack.postgres.url)
        asyncio.run(running.stop())


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """The bootstrap address of a Kafka broker that creates no topic by itself."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
    elif from_docker():
        from testcontainers.community.kafka import KafkaContainer

        with KafkaContainer(KAFKA_IMAGE).with_kraft() as container:
            yield container.get_bootstrap_server()
    else:
        stack: Stack = request.getfixturevalue("test_stack")
        running = asyncio.run(local_kafka.launch(stack.kafka))
        yield stack.kafka.bootstrap
        asyncio.run(running.stop())


@pytest.fixture(scope="session")
def stack() -> Iterator[WholeStack]:
    """The whole product at work: five services behind the gateway, with servers and a home of their own.

    All tests of a session share it: they make what they need, and count on nothing that others leave alone. The company
    clock may be ahead of real time.
    """
    with whole_stack("whole") as whole:
        yield whole


@pytest.fixture(scope="module")
def empty_stack() -> Iterator[WholeStack]:
    """The whole product, with nothing in it, for the tests of one module alone."""
    with whole_stack("empty") as whole:
        yield whole


@contextmanager
def whole_stack(name: str, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[WholeStack]:
    """A stack in a home of this name that no other session holds, with these settings; taken down in the end."""
    with ExitStack() as claims:
        # Inside the claimed folder: starting a stack claims the stack's own home.
        home = Home(claim_home(claims, name).path / "stack")
        asyncio.run(take_down(home))
        home.remove()
        outside = {name: value for name, value in os.environ.items() if not names_a_server(name)}
        environment = {**outside, "PORT": str(free_port(set())), **settings}
        whole = WholeStack(Stack.at(home.path, durable=False, environment=environment))
        try:
            asyncio.run(bring_up(whole.local, whole.said.append))
            yield whole
        finally:
            asyncio.run(take_down(home))


def names_a_server(setting: str) -> bool:
    """Whether a setting leads to a server or an address that is not this stack's."""
    return setting.startswith("DATABASE_URL_") or setting in {
        "KAFKA_BOOTSTRAP",
        "ORIGIN",
        "OIDC_ISSUER",
        "OIDC_JWKS_URL",
    }
