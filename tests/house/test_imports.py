"""Who may import whom. The laws are read from the syntax tree, so that a late import inside a function counts too."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("leads", "deals", "contracts", "receivables", "forecast")
PURE_LIBRARIES = {
    "annotated_types",
    "holidays",
    "iso4217",
    "email_validator",
    "phonenumbers",
    "idna",
    "publicsuffixlist",
    "pydantic",
    "rpds",
}
"""What a domain may use besides the standard library: libraries that compute and reach for nothing."""
IMPURE_STANDARD = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "socket",
    "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "uuid1", "uuid4"}


def imports(file: Path) -> set[str]:
    """Every module that a file imports, by full name; `from a import b` counts as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def python(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def within(modules: set[str], *packages: str) -> set[str]:
    return {module for module in modules if any(module == p or module.startswith(f"{p}.") for p in packages)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_no_other_service(service: str) -> None:
    strangers = [f"services.{other}" for other in SERVICES if other != service]
    for file in python(f"services/{service}"):
        assert not within(imports(file), *strangers), file


def test_shared_knows_no_service() -> None:
    for file in python("shared"):
        assert not within(imports(file), "services"), file


def test_nobody_knows_deploy() -> None:
    for file in [*python("shared"), *python("services")]:
        assert not within(imports(file), "deploy"), file


def test_nothing_of_the_product_knows_its_tests() -> None:
    for file in [*python("shared"), *python("services"), *python("deploy")]:
        assert not within(imports(file), "tests", "pytest", "hypothesis"), file


def domains() -> list[Path]:
    services = [file for service in SERVICES for file in python(f"services/{service}/domain")]
    return [*services, *python("shared/domain"), *python("shared/events")]


@pytest.mark.parametrize("file", domains(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_domain_is_pure(file: Path) -> None:
    own = file.relative_to(ROOT).parts
    allowed = {"shared.events"} if own[:2] == ("shared", "events") else {"shared.events", "shared.domain"}
    if own[0] == "services":
        allowed.add(f"services.{own[1]}.domain")
    for module in imports(file):
        top = module.split(".")[0]
        if top in {"services", "shared"}:
            assert within({module}, *allowed), f"imports {module}"
        elif top in sys.stdlib_module_names:
            assert not within({module}, *IMPURE_STANDARD), f"imports {module}"
        elif own[:2] != ("shared", "events") or top != "msgspec":
            assert top in PURE_LIBRARIES, f"imports {module}"


@pytest.mark.parametrize("file", domains(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_domain_has_no_clock_and_no_dice(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asked = ast.unparse(node.func)
            assert not (node.func.attr in CLOCKS and asked.split(".")[0] in {"datetime", "date", "uuid"}), asked
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "uuid4", "uuid1"}, node.func.id


@pytest.mark.parametrize(
    ("module", "registry"), [("reactions", "shared.reactions.registry"), ("deliveries", "shared.deliveries.delivery")]
)
def test_what_follows_from_events_is_told_by_pure_functions(module: str, registry: str) -> None:
    for file in [ROOT / f"services/{service}/{module}.py" for service in SERVICES]:
        if file.exists():
            own = file.parent.name
            ours = within(imports(file), "shared", "services")
            allowed = ("shared.events", "shared.domain", registry, f"services.{own}.domain")
            assert ours == within(ours, *allowed), ours


ROOMS = (
    "events",
    "domain",
    "languages",
    "ops",
    "eventstore",
    "commands",
    "kafka",
    "following",
    "deliveries",
    "projections",
    "reactions",
    "directory",
    "http",
    "service",
)
"""The rooms of `shared`, each on those before it."""
MAX_MODULES = 20
"""A room with more has more than one job."""


@pytest.mark.parametrize("floor", range(len(ROOMS)), ids=ROOMS)
def test_a_room_stands_on_those_before_it(floor: int) -> None:
    below = [f"shared.{room}" for room in ROOMS[: floor + 1]]
    for file in python(f"shared/{ROOMS[floor]}"):
        ours = within(imports(file), "shared")
        assert ours == within(ours, *below), f"{file} imports {sorted(ours - within(ours, *below))}"


def test_every_room_has_its_place_and_one_job() -> None:
    rooms = {folder.name for folder in (ROOT / "shared").iterdir() if (folder / "__init__.py").exists()}
    assert rooms == {*ROOMS, "testing"}
    for room in rooms:
        assert ast.get_docstring(ast.parse((ROOT / "shared" / room / "__init__.py").read_text())), room
        modules = [file.name for file in (ROOT / "shared" / room).glob("*.py") if file.name != "__init__.py"]
        assert len(modules) <= MAX_MODULES, f"{room} has {len(modules)} modules"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for types count as well: what two modules know of each other, one of them or a third should own."""
    files = {module_of(file): file for folder in ("shared", "services", "deploy") for file in python(folder)}
    graph = {
        module: {part for each in imports(file) for part in (each, each.rpartition(".")[0])} & (files.keys() - {module})
        for module, file in files.items()
    }
    TopologicalSorter(graph).prepare()


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FORECAST = "services.forecast"
GROUND = {"asking": {"asking"}, "counting": {"asking", "counting"}}
"""What the subjects of forecast share, and what it may import: how questions are asked, and how things are counted."""
OWNING = {"api", "deliveries", "domain", "outside", "projections", "reactions", "resources", "seeds"}
"""The rooms of what forecast owns, as every service has them. What it tells by itself knows no subject, and no subject
knows it."""
SUBJECTS = sorted(
    {file.parent.name for file in (ROOT / "services/forecast").glob("*/__init__.py")} - GROUND.keys() - OWNING
)
LAYERS = ("", "model", "queries", "routes")
"""The rooms of a subject, each on those before it. What has no room is a pure rule, on which all others stand."""


def in_forecast(module: str) -> tuple[str, str]:
    """The subject that a module of forecast belongs to, and its room there."""
    subject, room, *_ = (*module.removeprefix(FORECAST).strip(".").split("."), "")
    return subject, room if room in LAYERS else ""


def test_forecast_consists_of_subjects_that_say_what_they_answer() -> None:
    packages = {in_forecast(module_of(file))[0] for file in python("services/forecast")}
    assert packages == {"", "app", *GROUND, *OWNING, *SUBJECTS}
    for package in [*GROUND, *SUBJECTS]:
        said = ast.get_docstring(ast.parse((ROOT / "services/forecast" / package / "__init__.py").read_text()))
        assert "?" in (said or "").partition("\n")[0], package


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_of_forecast_asks_another_by_its_queries(subject: str) -> None:
    for file in python(f"services/forecast/{subject}"):
        _, own = in_forecast(module_of(file))
        for module in within(imports(file), FORECAST):
            other, room = in_forecast(module)
            if other == subject:
                assert LAYERS.index(room) <= LAYERS.index(own), f"{file} imports {module}, of a later room"
            elif other not in GROUND:
                assert own != "model", f"{file} imports {module}, of another subject"
                assert room == "queries", f"{file} imports {module}, of another subject"


def test_what_the_subjects_of_forecast_share_knows_none_of_them() -> None:
    for package, allowed in GROUND.items():
        for file in python(f"services/forecast/{package}"):
            ours = within(imports(file), FORECAST)
            assert ours == within(ours, *(f"{FORECAST}.{each}" for each in allowed)), file


def test_what_forecast_owns_knows_none_of_its_subjects() -> None:
    for file in python("services/forecast"):
        if in_forecast(module_of(file))[0] in OWNING:
            ours = within(imports(file), FORECAST)
            assert ours == within(ours, *(f"{FORECAST}.{each}" for each in OWNING)), file


@pytest.mark.parametrize("subject", SUBJECTS)
def test_rules_of_forecast_are_pure_and_only_its_routes_know_http(subject: str) -> None:
    for file in python(f"services/forecast/{subject}"):
        _, room = in_forecast(module_of(file))
        if room != "routes":
            assert not within(imports(file), "fastapi", "starlette"), file
        if not room:
            ours = within(imports(file), "shared")
            assert ours == within(ours, "shared.domain", "shared.events"), file
