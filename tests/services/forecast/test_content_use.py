"""PROC-8: what content was used for, and what became of the deals: the rules, and over HTTP."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.forecast.content.model import Material, follow, marks
from services.forecast.content.queries import WHOLE, Uses, summed
from services.forecast.counting.marks import Kind
from shared.domain.context import Company
from shared.domain.roles import Role
from shared.events.deals.deal import ContentUsed, DealActivityLogged
from shared.events.envelope import Envelope
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import DEAL, day, fact, lost, opened, reopened, won
from tests.services.forecast.test_narrowing import ANNA, BEN, COMPANY, NORTH, SOUTH
from tests.shared.http.conftest import Errands

CASE, SCRIPT = UUID(int=8801), UUID(int=8802)
END = date(2026, 1, 10)
LATER = day("2026-03-01")


def used(content: UUID = CASE, version: int = 1, use: str = "sent", deal: UUID = DEAL) -> DealActivityLogged:
    """Content was used on a deal."""
    told = ContentUsed(content_id=content, content_version=version, use=use)
    return DealActivityLogged(deal_id=deal, activity_id=UUID(int=50), kind="email", content=told)


def figures(*told: tuple[str, Any], at: datetime = LATER) -> dict[UUID, dict[int, Uses]]:
    """What counts at an instant of a deal that began on the first, and to which this happened at noon of these days."""
    state: Material | None = follow(None, opened(), day("2026-01-01"), Company())
    for on, event in told:
        state = follow(state, event, day(on), Company())
    assert state is not None
    counted: dict[Kind, int] = {}
    for mark in marks(state):
        if mark.start <= at and (mark.end is None or mark.end > at):
            place = mark.place
            kind = Kind(
                process_id=place.process_id,
                process_version=place.version,
                stage=place.stage,
                sort=mark.sort,
                detail=mark.detail,
            )
            counted[kind] = counted.get(kind, 0) + 1
    return summed(counted)


def test_proc_8_uses_are_counted_by_word_and_version_and_the_deal_once() -> None:
    found = figures(
        ("2026-01-02", used()),
        ("2026-01-03", used(use="opened")),
        ("2026-01-04", used(version=2)),
        ("2026-01-10", won(END)),
    )[CASE]
    assert (dict(found[WHOLE].uses), found[WHOLE].last) == ({"sent": 2, "opened": 1}, date(2026, 1, 4))
    assert dict(found[WHOLE].outcomes) == {"won": 1}
    assert (dict(found[1].uses), dict(found[2].uses)) == ({"sent": 1, "opened": 1}, {"sent": 1})
    assert dict(found[1].outcomes) == dict(found[2].outcomes) == {"won": 1}


def test_proc_8_a_past_instant_has_the_outcome_of_then() -> None:
    told = (("2026-01-02", used()), ("2026-01-10", lost(END)), ("2026-01-12", reopened()), ("2026-01-20", won(END)))
    instants = {"2026-01-05": "open", "2026-01-11": "lost", "2026-01-15": "open", "2026-01-21": "won"}
    for on, outcome in instants.items():
        assert dict(figures(*told, at=day(on))[CASE][WHOLE].outcomes) == {outcome: 1}
    assert figures(*told, at=day("2026-01-01")) == {}


def test_proc_8_what_is_used_after_the_end_led_to_nothing() -> None:
    assert figures(("2026-01-10", won(END)), ("2026-01-11", used())) == {}
    found = figures(("2026-01-10", lost(END)), ("2026-01-12", reopened()), ("2026-01-13", used()))[CASE]
    assert dict(found[WHOLE].outcomes) == {"open": 1}


ADDRESS = "/v1/content-use"
DEALS = tuple(UUID(int=8810 + number) for number in range(12))


def facts(now: datetime) -> Iterator[Envelope[Any]]:
    """Eleven deals on which a case was used, of which Anna has one that was won, and Ben lost the others but one; and
    one on which a script was used."""
    today = now.date()
    for number, deal in enumerate(DEALS):
        anna = number == 0
        events: list[Any] = [opened(deal=deal, team=NORTH if anna else SOUTH, owner=ANNA if anna else BEN)]
        events.append(used(SCRIPT if number == 11 else CASE, deal=deal))
        if number < 10:
            events.append(won(today, deal=deal) if number < 4 else lost(today, deal=deal))
        begun = now - timedelta(minutes=10)
        yield from (fact(n, each, begun + timedelta(minutes=n), deal=deal) for n, each in enumerate(events, 1))


async def test_proc_8_conversion_comes_with_its_sample_and_none_with_too_few(served: Errands) -> None:
    now = served.running.clock.now()
    await journaled(served.running, [*COMPANY, *facts(now)])
    director = served.client(Role.SALES_DIRECTOR, "dora")
    response = await director.get(ADDRESS, params={"content_id": str(CASE)})
    assert response.status_code == 200, response.text
    whole = as_described(ADDRESS, response.json())
    (case,) = whole["items"]
    assert whole["smallest_sample"] == 5
    expected = {"sent": 11, "opened": 0, "attended": 0, "deals": 11, "open": 1, "won": 4, "ended": 10}
    assert case["figures"] == {**case["figures"], **expected, "win_rate": "0.4000", "state": "counted"}
    assert [each["content_version"] for each in case["versions"]] == [1]
    (script,) = (await director.get(ADDRESS, params={"content_id": str(SCRIPT)})).json()["items"]
    assert (script["figures"]["win_rate"], script["figures"]["state"], script["figures"]["ended"]) == (
        None,
        "no-data",
        0,
    )

    known = (await director.get(ADDRESS, params={"known_at": now.isoformat()})).json()
    assert [each for each in known["items"] if each["content_id"] == str(CASE)] == [case]
    long_ago = (await director.get(ADDRESS, params={"period": "2020"})).json()
    assert long_ago["items"] == []
    mine = (await served.client(Role.REP, "anna").get(ADDRESS)).json()["items"]
    assert [(each["figures"]["deals"], each["figures"]["won"], each["figures"]["state"]) for each in mine] == [
        (1, 1, "no-data")
    ]
