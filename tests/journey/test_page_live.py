"""The manager's page in a real browser: it moves by itself, asks no more than it has to, says what it lacks (FC-15)."""

import json
import time
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.async_api import Browser, Route, expect

from tests.journey.company import done
from tests.journey.visits import CHROMIUM, PANELS, PATIENCE_MS, Team, visiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="No Chromium is installed here: the page was not tried in a browser."),
]


async def test_fc_15_a_move_shows_by_itself(browser: Browser, team: Team, report: Callable[[str], None]) -> None:
    async with visiting(browser, team) as visit:
        loads: list[str] = []
        visit.page.on("domcontentloaded", lambda page: loads.append(page.url))
        await expect(visit.page.locator("#live")).to_have_class("on")
        there = visit.page.locator("[data-stage=needs-confirmed] .count")
        await expect(there).to_have_text("0")
        await done(team.company.rep, f"/v1/deals/{team.moving.id}/move", {"stage": "needs-confirmed"})
        began = time.monotonic()
        await expect(there).to_have_text("1", timeout=PATIENCE_MS)
        report(f"a deal's move shows on the page {time.monotonic() - began:.2f} s after its answer (budget: 1 s).")
        assert loads == []


async def test_fc_15_the_page_follows_again_after_a_refusal(browser: Browser, team: Team) -> None:
    """A service that starts is refused by the gateway; a browser by itself never connects again after that."""
    async with visiting(browser, team) as visit:
        await visit.page.route("**/v1/stream", lambda route: route.fulfill(status=503), times=1)
        await visit.page.reload()
        await expect(visit.page.locator("#live")).to_have_class("off")
        await expect(visit.page.locator("#live")).to_have_class("on", timeout=PATIENCE_MS)
        await visit.drawn_again_by(team.note_facts())


async def test_fc_15_a_line_that_was_lost_is_said_and_all_is_asked_anew(browser: Browser, team: Team) -> None:
    """What happened meanwhile may concern any panel."""
    async with visiting(browser, team) as visit:
        live = visit.page.locator("#live")
        await visit.page.route("**/v1/stream", lambda route: route.abort())
        await visit.page.reload()
        await expect(live).to_have_text("reconnecting")
        await visit.drawn()
        visit.asked.clear()
        await visit.drawn_again_by(visit.page.unroute("**/v1/stream"))
        await expect(live).to_have_text("live")
        assert visit.panels_asked == Counter(PANELS)


@pytest.mark.parametrize(
    ("type_name", "concerned"),
    [
        ("deals.deal-handed-over", PANELS),
        ("deals.deal-amount-changed", PANELS - {"/v1/process-conformance"}),
        ("receivables.receipt-allocated", {"/v1/health-metrics", "/v1/newest-events"}),
        ("leads.lead-activity-logged", {"/v1/newest-events"}),
        ("partners.partner-joined", {"/v1/newest-events"}),
    ],
)
async def test_fc_15_events_of_a_moment_are_asked_about_once_and_only_by_panels_that_they_concern(
    browser: Browser, team: Team, type_name: str, concerned: set[str]
) -> None:
    """A type that nobody knew when the page was written is none that a panel counts; the list of events shows it."""
    told = f"event: message\ndata: {json.dumps({'type': type_name})}\n\n" * 50
    async with visiting(browser, team) as visit:

        async def tell(route: Route) -> None:
            await route.fulfill(content_type="text/event-stream", body=f"retry: 3600000\n\n{told}")

        await visit.page.route("**/v1/stream", tell)
        visit.asked.clear()
        await visit.page.reload()
        await visit.page.wait_for_selector("html[data-drawn='2']", timeout=PATIENCE_MS)
        assert visit.panels_asked == Counter(PANELS) + Counter(concerned)


async def test_fc_15_an_event_draws_only_the_panels_that_it_concerns(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        await expect(visit.page.locator("#live")).to_have_class("on")
        visit.asked.clear()
        await visit.drawn_again_by(team.note_facts())
        await expect(visit.page.locator("#events li .what").first).to_contain_text("Facts noted")
        assert visit.panels_asked == Counter({"/v1/endangered-deals", "/v1/health-metrics", "/v1/newest-events"})


async def test_fc_15_figures_are_asked_for_again_when_time_has_passed(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        await visit.page.clock.install()
        await visit.page.reload()
        await visit.drawn()
        await expect(visit.page.locator("#live")).to_have_class("on")
        visit.asked.clear()
        await visit.drawn_again_by(visit.page.clock.fast_forward("10:00"))
        assert visit.panels_asked == Counter(PANELS)


async def test_fc_15_what_one_panel_cannot_read_shows_there_and_nowhere_else(browser: Browser, team: Team) -> None:
    sentence = "Something broke here; it has been logged."
    async with visiting(browser, team) as visit:

        async def break_down(route: Route) -> None:
            await route.fulfill(status=500, content_type="application/problem+json", json={"detail": sentence})

        await visit.page.route("**/v1/funnel?*", break_down)
        await visit.page.reload()
        await visit.drawn()
        failures = visit.page.locator(".failed").filter(visible=True)
        await expect(failures).to_have_text([f"These figures could not be read: {sentence}"])
        await expect(visit.page.locator("#funnel .failed")).to_be_visible()
        await expect(visit.page.locator("#notice")).to_be_hidden()
        await expect(visit.page.locator("[data-bind=won]")).to_have_text("€61K")
        await visit.page.unroute("**/v1/funnel?*")
        # No event of those that the funnel counts.
        await visit.drawn_again_by(team.note_facts())
        await expect(failures).to_have_count(0)
        await expect(visit.page.locator("#funnel [data-stage]").first).to_be_visible()


async def test_fc_15_a_page_without_all_of_its_modules_is_loaded_again(browser: Browser, team: Team) -> None:
    """While two releases answer, a module may not be found."""
    async with visiting(browser, team) as visit:
        await visit.page.route("**/dashboard/*/lib/dom.js", lambda route: route.fulfill(status=404))
        await visit.page.reload()
        await expect(visit.page.locator("#notice")).to_contain_text("is loaded again in a moment")
        await visit.page.unroute("**/dashboard/*/lib/dom.js")
        await visit.drawn()
        await expect(visit.page.locator("#notice")).to_be_hidden()


async def test_fc_15_a_session_that_ends_while_the_page_is_open_leads_to_the_sign_in(
    browser: Browser, team: Team
) -> None:
    async with visiting(browser, team) as visit:
        await expect(visit.page.locator("#live")).to_have_class("on")
        await visit.page.context.clear_cookies()
        await team.note_facts()
        await visit.page.wait_for_url("**/identity/sign-in*")


async def test_fc_15_the_page_asks_to_sign_in_when_the_session_has_ended(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:

        async def ended(route: Route) -> None:
            await visit.page.context.clear_cookies()
            await route.continue_()

        await visit.page.route("**/v1/stream", ended)
        await visit.page.reload()
        await visit.page.wait_for_url("**/identity/sign-in*")


async def test_fc_15_what_happens_meanwhile_takes_nobody_from_their_place(browser: Browser, team: Team) -> None:
    async with visiting(browser, team) as visit:
        await expect(visit.page.locator("#live")).to_have_class("on")
        place = visit.page.locator("[data-stage=quotation] button")
        await place.focus()
        visit.asked.clear()
        worth = {"amount": {"amount": "7000.34", "currency": "EUR"}}
        await visit.drawn_again_by(done(team.company.rep, f"/v1/deals/{team.moving.id}/change-amount", worth))
        assert visit.panels_asked["/v1/funnel"]
        await expect(place).to_be_focused()
