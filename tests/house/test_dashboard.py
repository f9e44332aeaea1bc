"""The law of the manager's page: small modules without state of their own, and panels that are all of one shape."""

import re
from pathlib import Path

import pytest

from services.forecast.app import SERVICE
from services.forecast.decisions.model import PROJECTION as DECISIONS
from shared.events.registry import registry_of, type_of

assert SERVICE.pages is not None
FOLDER = SERVICE.pages
PAGE = FOLDER / "page.js"
MODULES = sorted(FOLDER.rglob("*.js"))
PANELS = sorted((FOLDER / "panels").glob("*.js"))
WORDS = FOLDER / "words.js"
"""Made of the catalogue of the page's language (`shared/http/static.py`)."""
STANDS_ALONE = FOLDER / "reload.js"
"""Of whichever release answers: it says that the modules of the page are not there."""

SHAPE = ("id", "title", "lays", "asks", "draws", "redrawsOn")
EVERY_TYPE = "*"
LINES, LINES_OF_PAGE, COLUMNS = 150, 60, 120
MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML\w*|document\.write|eval)\b"
)
IMPORTED = re.compile(r'^import .* from "(.+)";$', re.MULTILINE)
LINKED = re.compile(r'(?:href|src)="/dashboard/\{release\}/(.+?)"')

NOT_SHOWN = {
    "deals.deal-category-changed": "no panel shows forecast categories",
    "deals.deal-classified": "no panel shows source or industry",
    "deals.target-number-set": "no panel shows what is wanted beside revenue",
    "leads.lead-activity-logged": "no panel shows visits",
    **dict.fromkeys(
        (
            "contracts.contract-activated",
            "contracts.contract-drafted",
            "contracts.contract-terms-changed",
            "deals.deal-account-changed",
            "leads.account-changed",
            "leads.account-fact-retracted",
            "leads.account-handed-over",
            "leads.account-opened",
            "leads.contact-added",
            "receivables.plan-drawn-up",
        ),
        "no panel shows an account",
    ),
    **dict.fromkeys(
        (
            "forecast.notice-acknowledged",
            "forecast.notice-raised",
            "forecast.notice-read",
            "forecast.notice-renamed",
            "forecast.notice-settled",
            "forecast.notices-muted",
            "forecast.notices-unmuted",
        ),
        "no panel shows an inbox",
    ),
    **dict.fromkeys(
        (
            "forecast.webhook-endpoint-paused",
            "forecast.webhook-endpoint-registered",
            "forecast.webhook-endpoint-removed",
            "forecast.webhook-endpoint-resumed",
            "forecast.webhook-secret-rotated",
        ),
        "no panel shows what is sent outside",
    ),
    **dict.fromkeys(
        (
            "forecast.health-report-sealed",
            "forecast.measure-changed",
            "forecast.measure-done",
            "forecast.measure-dropped",
            "forecast.measure-overdue",
            "forecast.measure-taken",
            "forecast.review-held",
            "forecast.review-missed",
            "forecast.review-opened",
        ),
        "no panel shows what was sealed of periods, or talked about",
    ),
    **dict.fromkeys(
        (
            "deals.deal-answer-withdrawn",
            "deals.deal-customer-event-stated",
            "deals.deal-exit-accepted",
            "deals.deal-exit-declined",
            "deals.deal-exit-proposed",
        ),
        "no panel shows what became of proposals to give a deal up",
    ),
    **dict.fromkeys(map(type_of, DECISIONS.events), "what waits for somebody's decision is a list of its own"),
}

every_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
every_panel = pytest.mark.parametrize("panel", PANELS, ids=lambda path: path.stem)


def exported(panel: Path) -> str:
    """The object that a panel's module exports, as it is written."""
    (found,) = re.findall(r"^export default \{$(.+?)^\};$", panel.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def redraws_on(panel: Path) -> list[str]:
    (listed,) = re.findall(r"^  redrawsOn: \[(.+?)\],$", exported(panel), re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', listed)


def imported(module: Path) -> list[Path]:
    return [(module.parent / name).resolve() for name in IMPORTED.findall(module.read_text())]


@every_module
def test_a_module_is_read_in_one_sitting(module: Path) -> None:
    lines = module.read_text().splitlines()
    assert len(lines) <= (LINES_OF_PAGE if module == PAGE else LINES)
    assert max(map(len, lines)) <= COLUMNS
    assert lines[0].startswith("// "), "its first line says what it is"


@every_module
def test_data_never_become_markup(module: Path) -> None:
    assert not MARKUP.findall(module.read_text())


@every_module
def test_a_module_keeps_no_state(module: Path) -> None:
    """What changes stands in the address, in the document, or in what a function was given."""
    assert not re.findall(r"^(?:export )?(?:let|var)\b.*|\b(?:window|globalThis)\b.*", module.read_text(), re.MULTILINE)


@every_module
def test_imports_are_relative_and_static(module: Path) -> None:
    """Absolute ones would not stand below the hash of the release; late ones could meet another release."""
    text = module.read_text()
    assert not re.findall(r"\bimport\(|^export .* from ", text, re.MULTILINE)
    assert len(IMPORTED.findall(text)) == len(re.findall(r"^import\b", text, re.MULTILINE))
    for name in IMPORTED.findall(text):
        assert name.startswith(("./", "../")), name
    assert set(imported(module)) <= {*MODULES, WORDS}


def test_the_page_names_every_module_that_it_needs_and_no_other() -> None:
    """Each is asked for at once, not after the one that imports it."""
    needed, found = set[Path](), {PAGE}
    while found:
        needed |= found
        found = {each for module in found - {WORDS} for each in imported(module)} - needed
    assert needed == {*MODULES, WORDS} - {STANDS_ALONE}
    links = [FOLDER / name for name in LINKED.findall((FOLDER / "index.html").read_text()) if name.endswith(".js")]
    assert sorted(links) == sorted(needed)


def test_the_page_has_no_scripts_or_styles_in_its_text() -> None:
    text = (FOLDER / "index.html").read_text()
    assert not re.findall(r"<style|<script>|\son\w+=|\sstyle=|javascript:", text)


def test_the_page_is_the_list_of_its_panels() -> None:
    (listed,) = re.findall(r"^const PANELS = \[(.+)\];$", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed.split(", ")) == [panel.stem for panel in PANELS]


@every_panel
def test_every_panel_is_of_one_shape(panel: Path) -> None:
    assert tuple(re.findall(r"^  (\w+):", exported(panel), re.MULTILINE)) == SHAPE
    assert f'  id: "{panel.stem}",' in exported(panel)


@every_panel
def test_a_panel_names_the_types_of_events_that_it_is_drawn_again_on(panel: Path) -> None:
    named = redraws_on(panel)
    assert named
    assert len(named) == len(set(named))
    if named != [EVERY_TYPE]:
        unknown = {*named} - {type_of(event) for event in registry_of().classes}
        assert not unknown, f"there are no events of these types: {sorted(unknown)}"


def test_whatever_changes_a_figure_draws_a_panel_again() -> None:
    """A type that a read model folds is named by a panel, or left out with a reason."""
    folded = {
        name
        for projection in SERVICE.projections
        if projection.name != "organisation"
        for name in projection.types or ()
    }
    named = {name for panel in PANELS for name in redraws_on(panel)}
    assert folded - named == NOT_SHOWN.keys()
