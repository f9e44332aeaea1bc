"""The manager's page in a real browser: figures that add up, a day in the address, a keyboard, two screens (FC-15)."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from shared.languages.catalogue import NAME
from shared.languages.shipped import SHIPPED
from tests.journey.company import known_everywhere, made, seen
from tests.journey.visits import CHROMIUM, DESK, PANELS, PHONE, Team, visiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium is installed here: the page was not tried in a browser."),
]

CONTRAST = """element => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    let behind = element;
    while (parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const one = light(parts(getComputedStyle(element).color));
    const other = light(parts(getComputedStyle(behind).backgroundColor));
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
"""The contrast between an element's text and what it stands on."""

SHOWN_WHOLE = """(element, text) => {
    element.textContent = text;
    const words = document.createRange();
    words.selectNodeContents(element);
    const [inner, outer] = [words, element.closest("section")].map((each) => each.getBoundingClientRect());
    return inner.left >= outer.left && inner.right <= outer.right && inner.bottom <= outer.bottom;
}"""
"""Whether an element shows all of a text inside its section."""
EVERY_DANGER = {
    "en-US": "Expected to close 14 days ago. Nobody worked on it for 20 days. Its close date was pushed 2 times. "
    "72 days in Needs confirmed; the norm is 21.",
    "de-AT": "Der Abschluss war vor 14 Tagen erwartet. Seit 20 Tagen unbearbeitet. "
    "Der Abschluss wurde 2-mal verschoben. 72 Tage in „Needs confirmed“; üblich sind höchstens 21.",
}
TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [document.title];
    while (walker.nextNode()) found.push(walker.currentNode.textContent.trim());
    for (const each of document.querySelectorAll("[aria-label], [title]")) {
        found.push(each.getAttribute("aria-label") ?? "", each.title);
    }
    return found.filter(Boolean);
}"""
"""Every text of the page, those of tooltips and for screen readers among them."""


def amount(part: Mapping[str, Any]) -> Decimal:
    return Decimal(part["amount"])


async def test_fc_15_a_button_signs_in_and_the_page_knows_who_looks(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        await expect(visit.page.locator("#who .name")).to_contain_text(f"Mateo.{team.company.mark}", ignore_case=True)
        await visit.page.get_by_role("button", name="Sign out").click()
        await visit.page.wait_for_url("**/identity/sign-in*")
        await visit.page.goto(f"{team.company.stack.origin}/?language=de&as_of={team.company.today}")
        await visit.page.wait_for_url("**/identity/sign-in*")
        await visit.page.get_by_role("button", name=f"Mateo {team.company.mark}").click()
        await visit.page.wait_for_url(f"**/?language=de&as_of={team.company.today}")


async def test_fc_15_every_figure_of_the_quarter_opens_the_deals_that_add_up_to_it(
    browser: Browser, team: Team
) -> None:
    outlook = await seen(team.company.manager, "/v1/forecast")
    assert amount(outlook["won"]) == Decimal("61000.67")
    wanted = {
        "attainment": amount(outlook["won"]),
        "won": amount(outlook["won"]),
        "expected": amount(outlook["expected"]),
        "gap": amount(outlook["target"]) - amount(outlook["gap"]),
        "coverage": amount(outlook["open"]),
        "undated": amount(outlook["undated"]["amount"]),
    }
    async with visiting(browser, team) as visit:
        buttons = await visit.page.locator("[data-drill]").all()
        found_sums = {
            await button.get_attribute("data-drill"): sum(await visit.drill(button), Decimal(0)) for button in buttons
        }
    assert found_sums == wanted


async def test_fc_15_every_figure_of_the_funnel_opens_the_deals_that_add_up_to_it(browser: Browser, team: Team) -> None:
    funnel = await seen(team.company.manager, "/v1/funnel")
    async with visiting(browser, team) as visit:
        for stage in funnel["stages"]:
            amounts = await visit.drill(visit.page.locator(f"[data-stage={stage['stage']}] button"))
            assert (len(amounts), sum(amounts, Decimal(0))) == (stage["count"], amount(stage["amount"])), stage
        for outcome in ("won", "lost", "abandoned"):
            closed = funnel["closed"][outcome]
            amounts = await visit.drill(visit.page.locator("#funnel .closed button", has_text=outcome.capitalize()))
            assert (len(amounts), sum(amounts, Decimal(0))) == (closed["count"], amount(closed["amount"])), outcome


async def test_fc_3_what_changed_adds_up_to_the_cent_and_every_leg_opens_its_deals(
    browser: Browser, team: Team
) -> None:
    changes = await seen(team.company.manager, "/v1/pipeline-changes")
    legs = [leg for leg in changes["legs"] if leg["count"]]
    assert legs
    async with visiting(browser, team) as visit:
        rows = await visit.page.locator("#changes tbody tr").all()
        shown = [euros(await row.locator("td").last.inner_text()) for row in rows]
        opened_sums = [sum(await visit.drill(row.locator("button")), Decimal(0)) for row in rows[1:-1]]
    start, *moved, end = shown
    assert start + sum(moved, Decimal(0)) == end
    assert moved == opened_sums == [amount(leg["amount"]) for leg in legs]
    assert (start, end) == (amount(changes["start"]["amount"]), amount(changes["end"]["amount"]))


def euros(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace("€", "").replace(",", "").replace("+", ""))


async def test_deal_4_how_the_process_is_followed_is_shown_stage_by_stage(browser: Browser, team: Team) -> None:
    """DEAL-2: with the figures of the answer, and with a word where there is nothing to count."""
    told = await seen(team.company.manager, "/v1/process-conformance")
    assert told["total"]["completion"]["completed"] >= 1
    async with visiting(browser, team) as visit:
        rows = await visit.page.locator("#conformance tbody tr").all()
        shown = [await row.locator("th, td").all_inner_texts() for row in rows]
        stages = [(stage["name"], stage["figures"]) for stage in told["stages"]]
        assert shown == [followed(name, figures) for name, figures in (*stages, ("All stages", told["total"]))]
        await visit.open(team.company.stack.origin, as_of=str(team.company.today - timedelta(days=40)))
        await expect(visit.page.locator("#conformance .empty")).to_have_text("Nothing of this period counts yet.")
        await expect(visit.page.locator("#conformance thead")).to_be_hidden()


def followed(name: str, figures: Mapping[str, Any]) -> list[str]:
    """The row of a stage, as its figures say."""
    gates, waivers, work, proposals = (figures[each] for each in ("gates", "waivers", "completion", "proposals"))
    passed = (figures["skips"], figures["returns"], *figures["winning"].values())
    return [
        name,
        part(gates["first_passes"], gates["first_attempts"]),
        *map(str, (gates["refusals"], *passed, waivers["given"], waivers["expired"])),
        str(figures["flexible_nodes"]["added"]),
        part(work["completed"], work["due"]),
        part(proposals["on_time"], proposals["due"]),
    ]


def part(some: int, whole: int) -> str:
    return f"{round(Decimal(100 * some) / whole, 1).normalize():f}%{some} of {whole}" if whole else "–"


async def test_fc_15_the_day_in_the_address_rules_every_panel(browser: Browser, team: Team) -> None:
    before = str(team.company.today - timedelta(days=40))
    async with visiting(browser, team) as visit:
        visit.asked.clear()
        await visit.open(team.company.stack.origin, as_of=before)
        panels = [urlsplit(url) for url in visit.asked if urlsplit(url).path in PANELS]
        assert {each.path for each in panels} == PANELS
        assert {parse_qs(each.query).get("as_of", ["now"])[0] for each in panels} == {before}
        await expect(visit.page.locator("#notice")).to_contain_text("You are looking at the end of")
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€0")
        await expect(visit.page.locator("#changes .empty")).to_have_text("Nothing changed.")
        await expect(visit.page.locator("#events .empty")).to_have_text("Nothing has happened yet.")
        await visit.page.get_by_role("button", name="Now").click()
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€61K")
        assert "as_of" not in visit.page.url


async def test_fc_15_what_is_no_day_is_not_asked_about(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        await visit.open(team.company.stack.origin, as_of="hello")
        await expect(visit.page.locator("#notice")).to_have_text("That is no day. These are the figures of now.")
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€61K")
        assert not [url for url in visit.asked if "hello" in urlsplit(url).query and urlsplit(url).path in PANELS]


async def test_fc_15_a_day_that_is_still_to_come_is_not_asked_about(browser: Browser, team: Team) -> None:
    """Neither when the address has it nor when somebody types it: the figures stay those of now."""
    to_come = str(team.company.today + timedelta(days=4000))
    async with visiting(browser, team) as visit:
        await visit.open(team.company.stack.origin, as_of=to_come)
        notice = visit.page.locator("#notice")
        await expect(notice).to_have_text("That day is still to come. These are the figures of now.")
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€61K")
        await visit.page.locator("[name=as_of]").fill(to_come)
        await expect(notice).to_have_text("That day is still to come.")
        await expect(visit.page.locator("[name=as_of]")).to_have_value("")
        assert "as_of" not in visit.page.url
        assert not [url for url in visit.asked if to_come in urlsplit(url).query and urlsplit(url).path in PANELS]


async def test_fc_15_the_page_works_by_keyboard(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        page, dialog = visit.page, visit.page.locator("#drill")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await drill_in_focus(page) == "expected":
                break
        assert await drill_in_focus(page) == "expected"
        await page.keyboard.press("Enter")
        await expect(dialog.locator("tbody tr").first).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()
        assert await drill_in_focus(page) == "expected"


async def drill_in_focus(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.dataset.drill ?? ''"))


async def test_fc_15_nothing_comes_from_outside(browser: Browser, team: Team) -> None:
    origin = team.company.stack.origin
    async with visiting(browser, team) as visit:
        await visit.drill(visit.page.locator("[data-drill=expected]"))
        assert visit.asked
        assert [url for url in visit.asked if not url.startswith(f"{origin}/")] == []
        policy = (await visit.page.request.get(f"{origin}/")).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_fc_15_text_can_be_read(browser: Browser, team: Team, dark: bool) -> None:
    async with visiting(browser, team, dark=dark) as visit:
        paper = await visit.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert (paper == "rgb(16, 21, 28)") == dark
        for words in ("h1", ".caption", ".why", ".meta", ".plus", ".legend", ".chip", ".limits", ".newest time"):
            for element in (await visit.page.locator(words).all())[:3]:
                assert await element.evaluate(CONTRAST) >= 4.5, words


@pytest.mark.parametrize("locale", EVERY_DANGER)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_fc_15_what_matters_is_on_the_first_screen(
    browser: Browser, team: Team, size: ViewportSize, locale: str
) -> None:
    async with visiting(browser, team, size=size, locale=locale) as visit:
        await expect(visit.page.locator("#dangers li")).to_have_count(5)
        for part in ("#quarter", "#dangers", "#changes"):
            box = await visit.page.locator(part).bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= size["height"], part
            assert box["x"] + box["width"] <= size["width"], part
        assert await visit.page.locator("#dangers .why").first.evaluate(SHOWN_WHOLE, EVERY_DANGER[locale])
        track = await visit.page.locator("#quarter .track").bounding_box()
        assert track is not None
        assert track["width"] > size["width"] / 2
        for figure in await visit.page.locator("main .figure, main .amount").all():
            assert await figure.evaluate(SHOWN_WHOLE, await figure.inner_text())
        wide = await visit.page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth")
        assert wide <= 0


async def test_api_7_the_page_speaks_the_language_of_the_browser_until_another_is_chosen(
    browser: Browser, team: Team
) -> None:
    """All of it, with the numbers of the browser's region; the choice stands in the address."""
    async with visiting(browser, team, locale="de-AT") as visit:
        page, root = visit.page, visit.page.locator("html")
        await expect(root).to_have_attribute("lang", "de")
        await expect(page.locator("[data-bind=won]")).to_have_text("€ 61.000")
        await expect(page.locator("[data-metric=win-rate] .chip")).to_have_text("Kritisch")
        await page.locator("[data-drill=won]").click()
        await page.locator("#drill tbody button").click()
        await expect(page.locator("#drill .sum")).to_have_text("2 Ereignisse")
        await expect(page.locator("#drill tbody")).to_contain_text("Ergebnis: Offen → Gewonnen")
        shown = set(await page.evaluate(TEXTS))
        assert shown & said_only_in("en") == set()
        assert len(shown & said_only_in("de")) > 30
        await page.keyboard.press("Escape")

        await page.locator("[name=language]").select_option("en")
        await page.wait_for_url("**/?language=en")
        await visit.drawn()
        await expect(root).to_have_attribute("lang", "en")
        await expect(page.locator("[data-bind=won]")).to_have_text("€61K")
        await expect(page.locator("[data-metric=win-rate] .chip")).to_have_text("Alert")
        assert set(await page.evaluate(TEXTS)) & said_only_in("de") == set()
        await page.locator("[name=period]").select_option(index=1)
        assert parse_qs(urlsplit(page.url).query).keys() == {"language", "period"}
        assert await page.locator(".brand").get_attribute("href") == "/?language=en"
        for _ in range(2):
            await page.go_back()
        await expect(root).to_have_attribute("lang", "de")


async def test_api_7_a_browser_of_no_language_that_ships_sees_the_company_s_with_its_numbers(
    browser: Browser, team: Team
) -> None:
    async with visiting(browser, team, locale="fr-FR") as visit:
        await expect(visit.page.locator("html")).to_have_attribute("lang", "en")
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€61K")


def said_only_in(language: str) -> set[str]:
    """The texts without values that one language says, and the other never."""
    english, german = (
        {text for key, text in SHIPPED[each].texts.items() if key != NAME and isinstance(text, str) and "{" not in text}
        for each in ("en", "de")
    )
    return english - german if language == "en" else german - english


async def test_fc_15_a_team_without_deals_sees_what_is_missing(browser: Browser, team: Team) -> None:
    async with visiting(browser, team, "nils") as visit:
        await expect(visit.page.locator("[data-bind=attainment-words]")).to_contain_text("no target is set")
        await expect(visit.page.locator("[data-bind=gap]")).to_have_text("–")
        await expect(visit.page.locator("#dangers .empty")).to_have_text("No open deal of this period is in danger.")
        await expect(visit.page.locator("#changes .empty")).to_have_text("Nothing changed.")
        assert await visit.drill(visit.page.locator("[data-drill=won]")) == []


async def test_fc_1_what_has_no_exchange_rate_is_said_below_the_figures(browser: Browser, team: Team) -> None:
    """Last, since the deal stays."""
    body = {"name": "Line for Dubai", "amount": {"amount": "450000.00", "currency": "AED"}}
    deal = await made(team.company.rep, "/v1/deals", {**body, "expected_close": str(team.company.today)})
    async with visiting(browser, team) as visit:
        await known_everywhere(team.company.manager, deal)
        await visit.page.reload()
        await visit.drawn()
        for panel in ("#quarter", "#funnel"):
            await expect(visit.page.locator(f"{panel} .left-out")).to_contain_text("1 open deal of 450,000.00 AED")
        for panel in ("#quarter", "#dangers", "#changes"):
            box = await visit.page.locator(panel).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= DESK["height"], "what matters is on the first screen still"
