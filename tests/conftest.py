"""Real servers for the tests: one PostgreSQL and one Kafka a run, started when the first test asks for them.

All processes of a run share them (`pytest -n 3`): one starts a server while the others wait, the one that hands the
tests out stops it in the end.

By default they come from the local stack, in a home that has nothing to do with the demo's. `TEST_DATABASE_URL` (a user
who may create databases) and `KAFKA_BOOTSTRAP` name servers that run already; `TEST_SERVERS=testcontainers` takes both
from Docker, for each process of its own.

The fixtures are plain functions: what they start belongs to no event loop, so that tests on any loop may use it.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import docker
import docker.errors
import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings as hypothesis_settings

from deploy.local import kafka as local_kafka
from deploy.local import postgres as local_postgres
from deploy.local.control import bring_up, take_down
from deploy.local.home import Home
from deploy.local.identity import SigningKeys
from deploy.local.ports import free_port
from deploy.local.program import Running, record_of, recorded, stop_left_overs
from deploy.local.stack import Stack
from shared.ops.collector import no_collection
from shared.testing.servers import DatabaseServer
from tests.alone import alone
from tests.class_sharing import share_classes
from tests.needs import NEEDS, Guard, group_of, need_of, turn_of
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
HOME = pytest.StashKey[Home]()
GUARD = pytest.StashKey[Guard]()


def from_docker() -> bool:
    chosen = os.environ.get("TEST_SERVERS", "local")
    if chosen not in ("local", "testcontainers"):
        raise pytest.UsageError(f"TEST_SERVERS is {chosen!r}; it may be 'local' or 'testcontainers'.")
    return chosen == "testcontainers"


def pytest_configure(config: pytest.Config) -> None:
    for need, meaning in NEEDS.items():
        config.addinivalue_line("markers", f"{need}: {meaning}; set by the fixtures of a test")
    config.stash[GUARD] = Guard()
    config.stash[GUARD].watch()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one process more than cores, for tests wait for servers; these work beside them, and with two more the
    machine is so busy that a broker misses its times."""
    return min(8, (os.cpu_count() or 1) + 1)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The process that hands the tests out tells another one where the servers of this run are."""
    node.workerinput["home"] = str(home_of_run(node.config).path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with what it needs, before any is chosen by it, and let those begin that take longest."""
    if "campaign" not in config.getoption("markexpr"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("campaign")])
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    for item in items:
        item.add_marker(need_of(fixtures := scopes(item)))
        if group := group_of(fixtures, item.location[0]):
            item.add_marker(pytest.mark.xdist_group(group))
        if getattr(config.option, "loadgroup", False):
            keep_together(item)
    items.sort(key=lambda item: turn_of(marked(item), grouped(item)))


def grouped(item: pytest.Item) -> str:
    """The group that a test stays with; empty: none."""
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else ""


def keep_together(item: pytest.Item) -> None:
    """Write the group of a test at the end of its id, where the scheduler looks for it.

    pytest-xdist 3.8 does so itself, in an attribute that pytest 9 does not read any more: then groups are torn apart.
    """
    if group := grouped(item):
        told = f"{item.nodeid}@{group}"
        item._id = coerce_node_id(told)
        assert item.nodeid == told, "the tests of a group would not stay together"


def scopes(item: pytest.Item) -> dict[str, str]:
    """The fixtures that a test asks for, directly or through others, with their scopes."""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return {name: found[-1].scope for name, found in known.items()}


def marked(item: pytest.Item) -> str:
    return next(mark.name for mark in item.iter_markers() if mark.name in NEEDS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with item.config.stash[GUARD].over(marked(item)):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with item.config.stash[GUARD].over(marked(item)):
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """pytest shows the source of a failure by `ast.parse`, which does not survive every collection within it before
    CPython 3.11.8 (gh-106905): the process would end instead of telling what failed."""
    with no_collection():
        return (yield)


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
    if not from_docker() and any(brokers & scopes(item).keys() for item in session.items):
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


def home_of_run(config: pytest.Config) -> Home:
    """Where the servers are that all processes of this run share; empty at first, and claimed until its end."""
    if hasattr(config, "workerinput"):
        return Home(Path(config.workerinput["home"]))
    if HOME not in config.stash:
        claims = ExitStack()
        config.add_cleanup(claims.close)
        # Inside the claimed folder, which holds the claim.
        home = Home(claim_home(claims).path / "stack")
        asyncio.run(stop_left_overs(home))
        home.remove()
        claims.callback(lambda: end(home))
        config.stash[HOME] = home
    return config.stash[HOME]


def end(home: Home) -> None:
    """Stop what runs in a home, and give back the memory that its data takes; logs stay."""
    asyncio.run(take_down(home))
    shutil.rmtree(home.volatile, ignore_errors=True)


def start_of(home: Home) -> Path:
    """The file that is held by whoever starts something in a home."""
    return home.path.with_suffix(".starting")


def start_once(home: Home, name: str, launch: Callable[[], Coroutine[Any, Any, Running]]) -> None:
    """Start a server unless another process of this run has; it goes on until the end of the run."""
    with alone(start_of(home)):
        if recorded(record_of(home, name)) is None:
            asyncio.run(launch()).detach()


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an issuer's keys, to be copied: making one takes a fifth of a second."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    SigningKeys(file).load()
    return file


@pytest.fixture(scope="session")
def processes() -> None:
    """Asked for by whoever starts processes of its own."""


@pytest.fixture(scope="session")
def test_stack(request: pytest.FixtureRequest) -> Stack:
    """The local stack of this run alone, of which only the servers run."""
    home = home_of_run(request.config)
    with alone(start_of(home)):
        # Its ports are chosen by the first process, and may be in use for the next.
        return Stack.at(home.path, durable=False, choose_ports=False)


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
        start_once(stack.home, "postgresql", lambda: local_postgres.launch(stack.postgres))
        yield DatabaseServer(stack.postgres.url)


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
        start_once(stack.home, "kafka", lambda: local_kafka.launch(stack.kafka))
        yield stack.kafka.bootstrap


@pytest.fixture(scope="session")
def stack(processes: None) -> Iterator[WholeStack]:
    """The whole product at work: five services behind the gateway, with servers and a home of their own.

    All tests of a session share it: they make what they need, and count on nothing that others leave alone. The company
    clock may be ahead of real time.
    """
    with whole_stack("whole") as whole:
        yield whole


@pytest.fixture(scope="module")
def empty_stack(processes: None) -> Iterator[WholeStack]:
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
            end(home)


def names_a_server(setting: str) -> bool:
    """Whether a setting leads to a server or an address that is not this stack's."""
    return setting.startswith("DATABASE_URL_") or setting in {
        "KAFKA_BOOTSTRAP",
        "ORIGIN",
        "OIDC_ISSUER",
        "OIDC_JWKS_URL",
    }
