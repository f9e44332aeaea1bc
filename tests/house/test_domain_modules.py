"""The one order of a domain module, read from the syntax tree: whoever has read one finds their way in every other.

Commands, decisions, what is already so, what events change, what follows from a state; the rules that these share
come last.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "services").glob("*/domain/**/*.py"))
ORDER = ("decides imports", "already", "evolves", "claims takes timer shows restores assumes concludes")
FIELDS = {"BuyingRole", "Name", "Text", "LongText", "Day", "NOT_BLANK"}
"""What `shared.domain.fields` defines, once for all services."""


def registered(node: ast.stmt) -> str | None:
    """The registration that decorates a function, like "decides" of `@deal.decides(allow=SELLING)`."""
    for decorator in getattr(node, "decorator_list", []):
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(named, ast.Attribute) and any(named.attr in kinds.split() for kinds in ORDER):
            return named.attr
    return None


def functions(file: Path, *kinds: str) -> list[ast.FunctionDef]:
    tree = ast.parse(file.read_text())
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and registered(node) in kinds]


def fields(node: ast.ClassDef) -> list[str]:
    """The fields of a class, its example among them, in order."""
    return [
        each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]


def classes(file: Path) -> list[ast.ClassDef]:
    return [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_domain_module_has_the_one_order(file: Path) -> None:
    tree = ast.parse(file.read_text())
    found = [(node, registered(node)) for node in tree.body]
    ranks = [next(rank for rank, kinds in enumerate(ORDER) if kind in kinds.split()) for _, kind in found if kind]
    assert ranks == sorted(ranks), "commands, decisions, already so, what events change, what follows from a state"
    first = next((place for place, (_, kind) in enumerate(found) if kind), len(found))
    late = [node.name for node, _ in found[first:] if isinstance(node, ast.ClassDef)]
    assert not late, "states and commands stand before the first decision"
    helpers = [place for place, (node, kind) in enumerate(found) if isinstance(node, ast.FunctionDef) and not kind]
    last = max((place for place, (_, kind) in enumerate(found) if kind), default=-1)
    assert not [place for place in helpers if first < place < last], "what these share comes first or last"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_handlers_are_declared_in_one_way(file: Path) -> None:
    for decides in functions(file, "decides", "imports"):
        assert decides.returns is not None, decides.name
        assert ast.unparse(decides.returns) == "Decision", f"{decides.name} returns a Decision"
        assert [arg.arg for arg in decides.args.args][:2] == ["state", "command"], decides.name
    for already in functions(file, "already"):
        assert already.name.startswith("is_"), f"{already.name} says what is already so: is_…"
    for evolves in functions(file, "evolves"):
        assert [arg.arg for arg in evolves.args.args] == ["state", "event"], evolves.name


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_commands_are_declared_in_one_way(file: Path) -> None:
    for command in classes(file):
        names = fields(command)
        assert "example" not in names or names[-1] == "example", f"the example of {command.name} comes last"
        tells_the_past = {"on", "at"} <= set(names) or "Imported" in command.name
        assert not tells_the_past or command.name.startswith("Import"), f"{command.name}: Import and what it tells"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_field_types_have_one_definition(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assigned = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    assert assigned.isdisjoint(FIELDS), "shared.domain.fields defines it for all"
