"""FC-4, FC-7: figures are judged by policies, those of the day that is asked about."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.forecast.health.rules import DEFINITIONS, HEALTH_LIMITS, judged_by
from services.forecast.pipeline.dangers import DANGERS
from shared.domain.context import Company
from shared.domain.roles import Role
from shared.events.forecast.policy import HealthLimit, HealthLimits
from shared.ops.ids import new_id
from tests.described import as_described
from tests.shared.http.conftest import Errands

DAY = timedelta(days=1)
LIMITS, DANGER_RULES = "/v1/forecast-policies/health-limits", "/v1/forecast-policies/dangers"


async def post(client: httpx.AsyncClient, path: str, document: Any, **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": str(new_id())}
    return await client.post(path, json={"document": document, **more}, headers=headers)


async def metric(client: httpx.AsyncClient, name: str, **query: str) -> tuple[int, dict[str, Any]]:
    answer = as_described("/v1/health-metrics", (await client.get("/v1/health-metrics", params=query)).json())
    (found,) = [each for each in answer["metrics"] if each["metric"] == name]
    return answer["limits_version"], found


def test_the_default_of_the_policies_is_what_ships_fc_7() -> None:
    assert judged_by(HEALTH_LIMITS.default_of(Company())) == list(DEFINITIONS)
    shipped = DANGERS.default_of(Company())
    assert (shipped.ending_days, shipped.far_from_won) == (30, Decimal("0.3"))


def test_a_metric_that_a_policy_does_not_name_keeps_its_limits_fc_7() -> None:
    limit = HealthLimit(metric="win-rate", healthy=Decimal("0.30"), alert=Decimal("0.20"))
    judged = {each.metric: (each.healthy, each.alert) for each in judged_by(HealthLimits(limits=(limit,)))}
    assert judged.pop("win-rate") == (Decimal("0.30"), Decimal("0.20"))
    assert judged == {each.metric: (each.healthy, each.alert) for each in DEFINITIONS if each.metric != "win-rate"}


async def test_limits_count_from_their_day_on_and_not_before_fc_7(served: Errands) -> None:
    director = served.client(Role.SALES_DIRECTOR)
    today: date = served.running.settings.company.day(served.running.clock.now())
    yesterday = str(today - timedelta(days=1))
    limits = {"limits": [{"metric": "win-rate", "healthy": "0.35", "alert": "0.25"}]}
    try:
        set_ = await post(director, LIMITS, limits)
        assert set_.status_code == 200, set_.text
        version, now = await metric(director, "win-rate")
        assert (version, now["healthy"], now["alert"]) == (set_.json()["version"], "0.35", "0.25")
        before, then = await metric(director, "win-rate", as_of=yesterday)
        assert (before, then["healthy"]) == (0, "0.40")
        known, unknown = await metric(director, "win-rate", known_at=yesterday)
        assert (known, unknown["healthy"]) == (0, "0.40")
    finally:
        await post(director, LIMITS, None)
    assert (await metric(director, "win-rate"))[1]["healthy"] == "0.40"


async def test_the_window_and_the_smallest_sample_count_from_their_day_on_fc_7(served: Errands) -> None:
    director = served.client(Role.SALES_DIRECTOR)
    today: date = served.running.settings.company.day(served.running.clock.now())
    try:
        set_ = await post(director, LIMITS, {"limits": [], "window_days": 30, "smallest_sample": 1})
        assert set_.status_code == 200, set_.text
        now = (await director.get("/v1/health-metrics")).json()
        assert (now["window_days"], now["smallest_sample"]) == (30, 1)
        found = {each["metric"]: each for each in now["metrics"]}
        for metric, rolling in (("win-rate", True), ("stalled-share", False), ("revenue-attainment", False)):
            since = found[metric]["since"]
            assert (since is not None) == rolling
            assert since is None or datetime.fromisoformat(now["as_of"]) - datetime.fromisoformat(since) == 30 * DAY
        assert found["win-rate"]["description"] == "won, of all deals opened in 30 days"
        then = (await director.get("/v1/health-metrics", params={"as_of": str(today - DAY)})).json()
        assert (then["window_days"], then["smallest_sample"], then["limits_version"]) == (90, 5, 0)
    finally:
        await post(director, LIMITS, None)
    for document, pointer in (
        ({"window_days": 6}, "/document/window_days"),
        ({"smallest_sample": 0}, "/document/smallest_sample"),
    ):
        refused = await post(director, LIMITS, {"limits": [], **document})
        assert (refused.status_code, {each["pointer"] for each in refused.json()["errors"]}) == (422, {pointer})


@pytest.mark.parametrize(
    ("limits", "pointers"),
    [
        ([{"metric": "mood", "healthy": "1", "alert": "1"}], {"/document/limits/0/metric"}),
        ([{"metric": "win-rate", "healthy": "0.2", "alert": "0.4"}], {"/document/limits/0/alert"}),
        ([{"metric": "sales-cycle", "healthy": "90", "alert": "60"}], {"/document/limits/0/alert"}),
        ([{"metric": "win-rate", "healthy": "0.4", "alert": "0.2"}] * 2, {"/document/limits/1/metric"}),
        ([{"metric": "win-rate", "healthy": 0.4, "alert": "NaN"}], None),
    ],
)
async def test_limits_that_cannot_be_are_refused_with_their_fields_fc_7(
    served: Errands, limits: list[Any], pointers: set[str] | None
) -> None:
    refused = await post(served.client(Role.SALES_DIRECTOR), LIMITS, {"limits": limits})
    assert refused.status_code == 422
    found = {each["pointer"] for each in refused.json()["errors"]}
    assert found == (pointers or {"/document/limits/0/healthy", "/document/limits/0/alert"})


async def test_who_may_not_set_them_is_told_fc_7(served: Errands) -> None:
    for path in (LIMITS, DANGER_RULES):
        assert (await post(served.client(Role.REP), path, None)).status_code == 403
