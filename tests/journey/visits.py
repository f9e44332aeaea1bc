"""Somebody who has the manager's page open in a real browser, and the team that it shows."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Locator, Page, Request, ViewportSize, expect

from tests.journey.company import Company, done
from tests.whole_stack import Answer

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 30_000
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PANELS = {
    "/v1/forecast",
    "/v1/endangered-deals",
    "/v1/pipeline-changes",
    "/v1/funnel",
    "/v1/health-metrics",
    "/v1/newest-events",
    "/v1/process-conformance",
}


@dataclass(slots=True)
class Visit:
    """A page that somebody has open, and everything that it asked for."""

    page: Page
    asked: list[str] = field(default_factory=list)

    async def drawn(self) -> None:
        """Wait until every panel is drawn."""
        await self.page.wait_for_selector("html[data-drawn]", timeout=PATIENCE_MS)

    async def open(self, origin: str, **asked: str) -> None:
        await self.page.goto(f"{origin}/?{'&'.join(f'{name}={value}' for name, value in asked.items())}")
        await self.drawn()

    async def drawn_again_by(self, what: Awaitable[Any]) -> None:
        """Wait until panels are drawn again after this was done."""
        drawn = await self.page.locator("html").get_attribute("data-drawn")
        await what
        await expect(self.page.locator("html")).not_to_have_attribute("data-drawn", drawn or "", timeout=PATIENCE_MS)

    @property
    def panels_asked(self) -> Counter[str]:
        """How often each panel asked its question."""
        return Counter(path for path in map(attrgetter("path"), map(urlsplit, self.asked)) if path in PANELS)

    async def drill(self, figure: Locator) -> list[Decimal]:
        """Open a figure; gives the amounts of the deals behind it."""
        await figure.click()
        dialog = self.page.locator("#drill")
        await expect(dialog.locator(".sum")).not_to_have_text("…", timeout=PATIENCE_MS)
        rows = await dialog.locator("tbody tr").all()
        amounts = [Decimal(await row.get_attribute("data-amount") or "nothing") for row in rows]
        await self.page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()
        return amounts


@dataclass(frozen=True, slots=True)
class Team:
    """A team with open, won and lost deals, and a target."""

    company: Company
    moving: Answer
    """A deal in its first stage, ready to move on."""
    last: Answer
    """What happened last."""
    pains: Iterator[int] = field(default_factory=lambda: count(2))

    async def note_facts(self) -> None:
        """Something happens that few panels count: another fact of the deal that moves."""
        facts = {"facts": {"pains": next(self.pains)}}
        await done(self.company.rep, f"/v1/deals/{self.moving.id}/note-facts", facts)


@asynccontextmanager
async def visiting(
    browser: Browser,
    team: Team,
    name: str = "mateo",
    size: ViewportSize = DESK,
    *,
    dark: bool = False,
    locale: str = "en-US",
) -> AsyncIterator[Visit]:
    """Somebody signs in with their button, and sees the page."""
    company = team.company
    context = await browser.new_context(
        viewport=size, color_scheme="dark" if dark else "light", locale=locale, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    visit = Visit(page)

    def note(request: Request) -> None:
        visit.asked.append(request.url)

    page.on("request", note)
    await page.goto(f"{company.stack.origin}/")
    await page.wait_for_url("**/identity/sign-in*")
    await page.get_by_role("button", name=f"{name} {company.mark}").click()
    await visit.drawn()
    try:
        yield visit
    finally:
        await context.close()
