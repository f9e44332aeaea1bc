"""Who may import whom. The laws are read from the syntax tree, so that a late import inside a function counts too."""

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("leads", "deals", "contracts", "receivables", "forecast")
PURE_LIBRARIES = {
    "annotated_types",
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


def test_reactions_are_pure() -> None:
    for file in [ROOT / f"services/{service}/reactions.py" for service in SERVICES]:
        if file.exists():
            own = file.parent.name
            ours = within(imports(file), "shared", "services")
            allowed = ("shared.events", "shared.domain", "shared.reactions.registry", f"services.{own}.domain")
            assert ours == within(ours, *allowed), ours


ROOMS = (
    "events",
    "domain",
    "ops",
    "eventstore",
    "commands",
    "kafka",
    "following",
    "projections",
    "reactions",
    "directory",
    "http",
    "service",
)
"""The rooms of `shared`, each on those before it."""
MOST_MODULES = 20
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
        assert len(modules) <= MOST_MODULES, f"{room} has {len(modules)} modules"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for types count as well: what two modules know of each other, one of them or a third should own."""
    assert circles(imported_by_module()) == []


def imported_by_module() -> dict[str, set[str]]:
    """The modules of the product, each with those of the product that it imports."""
    files = {name_of(file): file for folder in ("shared", "services", "deploy") for file in python(folder)}
    return {
        name: {module for found in imports(file) if (module := module_of(found, files)) not in (None, name)}
        for name, file in files.items()
    }


def name_of(file: Path) -> str:
    """The module of a file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def module_of(found: str, files: Mapping[str, Path]) -> str | None:
    """The module of the product that an import reaches: itself, or the one that holds the imported name."""
    return next((name for name in (found, found.rpartition(".")[0]) if name in files), None)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules of which each reaches the others (strongly connected components, Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in path:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            circle = path[path.index(module) :]
            del path[path.index(module) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return found
