"""The company's working days over HTTP."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.domain.roles import Role
from tests.services.deals.conftest import Office

PATH = "/v1/working-days"


@pytest.fixture
def in_bavaria(office: Office) -> Iterator[Office]:
    """The same office, of a company that keeps the days of Bavaria."""
    state, usual = office.deals.app.state, office.running
    state.service = replace(usual, settings=replace(usual.settings, company_holidays="DE-BY"))
    yield office
    state.service = usual


async def test_everybody_sees_the_working_days_of_a_year(in_bavaria: Office) -> None:
    rep = in_bavaria.somebody(Role.REP, "rep")
    shown = await rep.sees(PATH, year="2026")
    assert (shown["year"], shown["place"], shown["known"]) == (2026, "DE-BY", True)
    assert (shown["weekend"], shown["shifted_days"]) == (["saturday", "sunday"], [])
    assert {"on": "2026-06-04", "name": "Corpus Christi"} in shown["free_days"]


async def test_free_days_are_named_in_the_language_that_is_asked_for(in_bavaria: Office) -> None:
    client = in_bavaria.somebody(Role.REP, "rep").client
    told = await client.get(f"{PATH}?year=2026", headers={"Accept-Language": "de"})
    assert {"on": "2026-06-04", "name": "Fronleichnam"} in told.json()["free_days"]
    assert (told.headers["Content-Language"], told.headers["Vary"]) == ("de", "Accept-Language")


async def test_without_a_country_the_running_year_has_weekends_only(office: Office) -> None:
    shown = await office.somebody(Role.FINANCE, "fred").sees(PATH)
    assert shown["year"] == office.running.clock.now().year
    assert (shown["place"], shown["free_days"], shown["known"]) == ("", [], True)


@pytest.mark.parametrize("year", ["1999", "2100", "26", "2026.0", "", "next"])
async def test_a_year_that_is_none_is_refused(office: Office, year: str) -> None:
    refused = await office.somebody().client.get(PATH, params={"year": year})
    assert refused.status_code == 400, refused.text
    assert [fault["parameter"] for fault in refused.json()["errors"]] == ["year"], refused.text
