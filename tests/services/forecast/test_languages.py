"""Answers in the language of whoever asks, over HTTP (API-7)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.forecast.app import SERVICE
from shared.domain.roles import Role
from shared.languages.shipped import FOLDER, read_catalogues
from shared.service.build import build, service_document
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import OWN, fact, moved, opened
from tests.services.forecast.test_past import NEEDED
from tests.shared.http.conftest import Errands
from tests.shared.http.conftest import served as on_a_socket

DEAL = UUID(int=4242)


def worded() -> dict[str, bool]:
    """The paths of forecast that a director asks, and whether their answers carry texts."""
    found = {}
    for path, under in service_document(SERVICE)["paths"].items():
        if Role.SALES_DIRECTOR not in under.get("get", {}).get("x-roles", ()):
            continue
        headers = {each["name"] for each in under["get"]["parameters"] if each["in"] == "header"}
        said_in = "Content-Language" in under["get"]["responses"]["200"].get("headers", {})
        assert ("Accept-Language" in headers) is said_in, path
        found[path.replace("{deal_id}", str(DEAL))] = said_in
    return found


WORDED = worded()
ASKED = sorted(path for path in WORDED if "{" not in path and path != "/v1/stream")


@pytest.fixture(scope="module")
async def told(served: Errands) -> Errands:
    """A deal without a close date, which moved."""
    now = served.running.clock.now()
    facts = [opened(1000, deal=DEAL, close=None), moved("needs", deal=DEAL, amount=1000)]
    await journaled(served.running, [fact(number, each, now, deal=DEAL) for number, each in enumerate(facts, 1)])
    return served


@pytest.fixture
def director(told: Errands) -> httpx.AsyncClient:
    """Somebody who sees everything."""
    return told.client(Role.SALES_DIRECTOR, "dora")


@pytest.mark.parametrize("path", ASKED)
async def test_an_answer_with_texts_says_in_which_language_they_are(director: httpx.AsyncClient, path: str) -> None:
    for accepted, language in (("de-AT, en;q=0.5", "de"), ("fr", "en"), ("de;q=oops", "en")):
        answer = await director.get(path, params=NEEDED.get(path), headers={"Accept-Language": accepted})
        assert answer.status_code == 200, answer.text
        expected = (language, "Accept-Language") if WORDED[path] else (None, None)
        assert (answer.headers.get("Content-Language"), answer.headers.get("Vary")) == expected


def test_answers_without_texts_are_known() -> None:
    assert {path for path, said_in in WORDED.items() if not said_in} == {
        "/v1/content-use",
        "/v1/horizon",
        "/v1/effects/{correlation_id}",
        "/v1/process-conformance",
        "/v1/process-conformance/cases",
        "/v1/target-proposals",
        "/v1/target-quota",
        *(path for path in OWN & WORDED.keys() if not path.endswith("/history")),
    }


@pytest.mark.parametrize(
    ("path", "rows", "key", "text"),
    [
        ("/v1/health-metrics", "metrics", "metric", "name"),
        ("/v1/health-metrics", "metrics", "state", "state_title"),
        ("/v1/pipeline-changes", "legs", "leg", "title"),
        ("/v1/funnel/deals", "deals", "outcome", "outcome_title"),
        ("/v1/newest-events", "events", "type", "text"),
        (f"/v1/deal-histories/{DEAL}", "entries", "type", "text"),
    ],
)
async def test_texts_are_others_and_keys_the_same(
    director: httpx.AsyncClient, path: str, rows: str, key: str, text: str
) -> None:
    english, german = [
        (await director.get(path, headers={"Accept-Language": language})).json()[rows] for language in ("en", "de")
    ]
    assert english
    assert [row[key] for row in english] == [row[key] for row in german]
    assert all(one[text] != other[text] for one, other in zip(english[:1], german[:1], strict=True))


async def test_fc_4_a_danger_says_why_in_the_language_of_whoever_asks(director: httpx.AsyncClient) -> None:
    for language, ending in (("en", "counts in no period."), ("de", "zählt der Deal in keinem Zeitraum.")):
        answer = await director.get("/v1/endangered-deals", headers={"Accept-Language": language})
        reasons = [reason for deal in answer.json()["deals"] for reason in deal["reasons"]]
        (undated,) = {each["sentence"] for each in reasons if each["code"] == "no-close-date"}
        assert undated.endswith(ending)


async def test_the_words_of_a_change_stand_beside_its_keys(director: httpx.AsyncClient) -> None:
    answer = await director.get(f"/v1/deal-histories/{DEAL}", headers={"Accept-Language": "de"})
    changes = {each["field"]: each for each in answer.json()["entries"][0]["changes"]}
    assert changes["outcome"] == {
        "field": "outcome",
        "title": "Ergebnis",
        "before": None,
        "before_title": None,
        "after": "open",
        "after_title": "Offen",
    }
    assert (changes["amount"]["title"], changes["amount"]["after_title"]) == ("Betrag", None)


async def test_problems_are_in_english_whatever_is_asked_for(director: httpx.AsyncClient) -> None:
    refused = await director.get("/v1/forecast?period=soon", headers={"Accept-Language": "de"})
    assert refused.json()["errors"][0]["message"].startswith("A period is a fiscal year")


async def test_who_asks_for_no_language_that_ships_gets_the_company_s(told: Errands) -> None:
    settings = replace(told.settings, company_language="de-AT")
    app = build(SERVICE, settings)
    async with app.router.lifespan_context(app):
        director = replace(told, app=app, settings=settings).client(Role.SALES_DIRECTOR, "dora")
        for accepted, title in (("fr", "Vertriebsleitung"), ("en-GB", "Sales director"), ("*", "Vertriebsleitung")):
            assert (await director.get("/v1/me", headers={"Accept-Language": accepted})).json()["title"] == title


async def test_api_3_a_stream_speaks_the_language_of_the_request_that_opened_it(told: Errands) -> None:
    async with on_a_socket(told.app) as origin:
        headers = {**told.client(Role.SALES_DIRECTOR, "dora").headers, "Last-Event-ID": "0"}
        texts = {}
        async with httpx.AsyncClient(base_url=origin, headers=headers) as client:
            for language in ("de", "en"):
                request = client.stream("GET", "/v1/stream", headers={"Accept-Language": language})
                async with request as answer:
                    assert answer.headers["Content-Language"] == language
                    texts[language] = await first(answer)
    assert texts == {"de": "Deal eröffnet", "en": "Deal opened"}


async def first(answer: httpx.Response) -> str:
    async for line in answer.aiter_lines():
        if line.startswith("data: ") and "deal-opened" in line:
            return str(json.loads(line.removeprefix("data: "))["text"])
    raise AssertionError("the stream ended")


@pytest.fixture
async def with_a_third(told: Errands, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Forecast with one more file among its catalogues."""
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    texts = json.loads((FOLDER / "en.json").read_text())
    third = texts | {
        "language.name": "Svenska",
        "event.deals.deal-opened": "Affär öppnad",
        "page.funnel.title": "Tratt",
    }
    (tmp_path / "sv.json").write_text(json.dumps(third))
    app = build(replace(SERVICE, catalogues=read_catalogues(tmp_path)), told.settings)
    async with app.router.lifespan_context(app):
        yield replace(told, app=app).client(Role.SALES_DIRECTOR, "dora")


async def test_a_third_language_is_a_file(with_a_third: httpx.AsyncClient) -> None:
    """In answers and on the page, without a line of code."""
    swedish = {"Accept-Language": "sv-FI, en;q=0.5"}
    answer = await with_a_third.get("/v1/newest-events", headers=swedish)
    assert (answer.headers["Content-Language"], answer.json()["events"][-1]["text"]) == ("sv", "Affär öppnad")
    page = await with_a_third.get("/", headers=swedish)
    assert '<html lang="sv">' in page.text
    (words,) = {part for part in page.text.split('"') if part.endswith("/words.js")}
    said = (await with_a_third.get(words)).text
    assert '"page.funnel.title": "Tratt"' in said
    assert '"sv": "Svenska"' in said
