"""The law of settings: docs/settings.md has the table of all of them, and it is what the code says."""

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path

from shared.ops.settings import Settings, environment_name

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "settings.md"
FOREIGN = {"XDG_CACHE_HOME", "PATH", "HOME", "CI", "PYTHONPATH"}
"""Variables of the machine, which are not ours to document."""


def meanings() -> dict[str, str]:
    """The docstring of each setting."""
    body = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = following.value.value if _is_text(following) else ""  # type: ignore[attr-defined]
            found[statement.target.id] = " ".join(text.split())
    return found


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def table() -> list[str]:
    """The rows as they must stand in the page."""
    told = meanings()
    rows = []
    for setting in fields(Settings)[1:]:
        name = environment_name(setting.name, "<service>")
        default = setting.metadata["default"]
        shown = "*required*" if default is None else f"`{default}`" if default else "*empty*"
        rows.append(f"| `{name}` | {shown} | {told[setting.name]} |")
    return rows


def test_every_setting_stands_in_the_page_as_in_the_code() -> None:
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    for row in table():
        assert row in written, f"docs/settings.md lacks or misstates:\n{row}"


def test_every_variable_that_is_read_stands_in_the_page() -> None:
    """Whatever else the local stack and the tests read from the environment."""
    page = PAGE.read_text()
    read = re.compile(r"""environ(?:\.get\(|\[|ment\.get\()\s*["']([A-Z][A-Z0-9_]+)["']""")
    for folder in ("shared", "services", "deploy", "tests"):
        for file in (CHECKOUT / folder).rglob("*.py"):
            for name in set(read.findall(file.read_text())) - FOREIGN:
                assert f"`{name}`" in page or name.startswith("DATABASE_URL_"), f"{file}: {name} is not in the page"


def test_every_setting_has_a_meaning() -> None:
    assert all(text.endswith(".") for text in meanings().values())
