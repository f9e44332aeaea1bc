"""DEAL-5 over HTTP and PostgreSQL: what is asked about a deal's qualification, and who may ask."""

import json
from datetime import date, timedelta
from typing import Any

from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import DEAL

EVIDENCE = "Minutes 118, Erika Mustermann"
EUR = {"currency": "EUR"}
ANSWERS: dict[str, dict[str, Any]] = {
    "state-pain": {"text": "The line stands still", "severity": 4},
    "assess-inaction": {"consequence": "No second shift", "cost_of_delay": {"amount": "18000.00", **EUR}},
    "state-customer-event": {"kind": "compelling", "text": "A plant opens", "day": "2099-03-01"},
    "state-budget": {"amount": {"amount": "150000.00", **EUR}},
    "state-competition": {"competitors": ["Globex"]},
    "state-requirement": {"text": "Restarts by itself", "matched": True},
    "assess-risk": {"text": "The sponsor leaves", "likelihood": 3, "impact": 4, "response": "Meet the successor"},
}
POLICY = "/v1/deal-policies/qualification"


def today(office: Office) -> date:
    return office.running.settings.company.day(office.running.clock.now())


async def recorded(office: Office, deal: str) -> list[tuple[str, dict[str, Any]]]:
    """What was recorded of a deal, without what stands beside the log."""
    rows = await office.running.pool.fetch(
        "select type, data::text from event where aggregate_id = $1 order by sequence", deal
    )
    return [(row["type"], json.loads(row["data"])) for row in rows]


async def test_deal_5_all_that_was_found_out_is_shown_with_its_strength(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", DEAL)
    path, on = f"/v1/deals/{deal}/qualification", today(office)
    nothing = await rep.sees(path)
    assert nothing["missing"] == [
        "pains",
        "inaction",
        "customer-events",
        "budget",
        "competition",
        "requirements",
        "risks",
    ]
    assert (nothing["strength"], nothing["renewal_due"], nothing["fit"], nothing["exit"]) == (None, None, None, None)
    month_ago = on - timedelta(days=30)
    for command, body in ANSWERS.items():
        await rep.makes(f"/v1/deals/{deal}/{command}", {**body, "evidence": EVIDENCE})
    await rep.makes(
        f"/v1/deals/{deal}/state-requirement",
        {"text": "Runs at -20 °C", "matched": False, "evidence": EVIDENCE, "found_on": str(month_ago)},
    )
    await rep.makes(
        f"/v1/deals/{deal}/assess-risk", {"text": "Fire", "likelihood": 5, "impact": 5, "evidence": EVIDENCE}
    )
    answer = await rep.client.get(path)
    found = answer.json()
    assert (answer.headers["ETag"], found["version"], found["as_of"]) == ('"10"', 10, str(on))
    (pain,) = found["pains"]
    assert (pain["text"], pain["severity"], pain["evidence"], pain["by"]) == (
        "The line stands still",
        4,
        EVIDENCE,
        str(team.rep),
    )
    assert (pain["strength"], pain["renew_on"]) == ("1.0000", str(on + timedelta(days=61)))
    assert found["inaction"]["cost_of_delay"] == {"amount": "18000.00", "currency": "EUR"}
    assert [event["day"] for event in found["customer_events"]] == ["2099-03-01"]
    assert (found["budget"]["amount"]["amount"], found["competition"]["competitors"]) == ("150000.00", ["Globex"])
    assert [(each["matched"], each["strength"]) for each in found["requirements"]] == [
        (True, "1.0000"),
        (False, "0.7071"),
    ]
    assert [(risk["text"], risk["exposure"]) for risk in found["risks"]] == [("Fire", 25), ("The sponsor leaves", 12)]
    assert (found["missing"], found["fit"], found["strength"]) == ([], "0.5000", "0.7071")
    assert found["renewal_due"] == str(month_ago + timedelta(days=61))
    assert found["cost_of_idle_day"] == {"amount": "600.00", "currency": "EUR"}


async def test_deal_5_texts_stay_here_and_figures_codes_and_days_are_published(office: Office) -> None:
    """DATA-4: what people write stands beside the log, until it is erased."""
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    for command, body in ANSWERS.items():
        await desk.makes(f"/v1/deals/{deal}/{command}", {**body, "evidence": EVIDENCE})
    told = (await recorded(office, deal))[1:]
    written = json.dumps(told)
    for text in ("Mustermann", "stands still", "second shift", "A plant opens", "Restarts", "sponsor", "successor"):
        assert text not in written
    for figure in ("18000.00", "150000.00", "2099-03-01", "compelling", "Globex", '"severity": 4', '"matched": true'):
        assert figure in written
    await desk.makes(f"/v1/deals/{deal}/erase-texts")
    found = await desk.sees(f"/v1/deals/{deal}/qualification")
    assert (found["pains"][0]["text"], found["pains"][0]["evidence"], found["pains"][0]["severity"]) == (None, None, 4)
    assert (found["risks"][0]["response"], found["risks"][0]["exposure"]) == (None, 12)


async def test_api_4_a_qualification_is_seen_by_those_who_see_the_deal(office: Office, team: Team) -> None:
    """DEAL-5: and given by those who carry the sale."""
    rep, other = (office.somebody(Role.REP, team.subjects[place]) for place in (0, 1))
    deal = await rep.makes("/v1/deals", DEAL)
    path = f"/v1/deals/{deal}/qualification"
    for stranger, address in ((other, path), (rep, f"/v1/deals/{new_id()}/qualification")):
        refused = await stranger.client.get(address)
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    assert (await office.deals.client(None, "").get(path)).status_code == 401
    finance = office.somebody(Role.FINANCE, "fred")
    assert await finance.status(path) == 200
    pain = {**ANSWERS["state-pain"], "evidence": EVIDENCE}
    assert (await finance.does(f"/v1/deals/{deal}/state-pain", pain)).status_code == 403
    assert (await other.does(f"/v1/deals/{deal}/state-pain", pain)).status_code == 404


async def test_deal_5_an_exit_is_proposed_and_a_person_decides(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", DEAL)

    async def decides() -> dict[str, bool]:
        listed = (await rep.sees(f"/v1/deals/{deal}"))["commands"]
        names = {"acceptExit": "accept", "declineExit": "decline"}
        return {
            short: told["possible"] for told in listed for name, short in names.items() if name in told["operation"]
        }

    assert not any((await decides()).values()), "nothing is proposed"
    body = {"kind": "insurmountable", "text": "The plant is closed", "evidence": EVIDENCE}
    tried = await rep.client.post(dry_path(f"/v1/deals/{deal}/state-customer-event"), json=body)
    assert [event["type"] for event in tried.json()["events"]] == [
        "deals.deal-customer-event-stated",
        "deals.deal-exit-proposed",
    ]
    assert (await rep.sees(f"/v1/deals/{deal}/qualification"))["exit"] is None
    await rep.makes(f"/v1/deals/{deal}/state-customer-event", body)
    found = await rep.sees(f"/v1/deals/{deal}/qualification")
    assert found["exit"]["cause"] == "insurmountable-event"
    assert found["exit"]["answer_id"] == found["customer_events"][0]["answer_id"]
    assert found["exit"]["expected_value"] == {"amount": "12000.00", "currency": "EUR"}
    assert await decides() == {"accept": True, "decline": True}
    await rep.makes(f"/v1/deals/{deal}/decline-exit", {"reason": "Another plant"})
    refused = await rep.does(f"/v1/deals/{deal}/accept-exit")
    assert (refused.status_code, refused.json()["code"]) == (409, "no-exit-proposed")
    await rep.makes(f"/v1/deals/{deal}/assess-exit", {"remaining_cost": {"amount": "12000.01", **EUR}})
    await rep.makes(f"/v1/deals/{deal}/accept-exit")
    await rep.makes(f"/v1/deals/{deal}/accept-exit")
    shown = await rep.sees(f"/v1/deals/{deal}")
    assert (shown["status"], shown["reason"]) == ("abandoned", "not-worth-it")
    left = await rep.sees(f"/v1/deals/{deal}/qualification")
    assert (left["exit"], left["cost_of_idle_day"]) == (None, None)
    assert [name.removeprefix("deals.deal-") for name, _ in await recorded(office, deal)] == [
        "opened",
        "customer-event-stated",
        "exit-proposed",
        "exit-declined",
        "exit-proposed",
        "exit-accepted",
        "abandoned",
    ]


async def test_deal_5_a_policy_says_how_answers_fade_and_what_an_idle_day_costs(office: Office) -> None:
    team = await office.team()
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", DEAL)
    await rep.makes(f"/v1/deals/{deal}/state-pain", {**ANSWERS["state-pain"], "evidence": EVIDENCE})
    rule = {
        "half_life_days": 10,
        "weakest": "0.5",
        "silent_day_drop": "0.01",
        "carrying_costs": [{"amount": "40.00", **EUR}],
    }
    answer = await ops.does(POLICY, {"document": rule, "team": team.id})
    assert answer.status_code == 200, answer.text
    found = await rep.sees(f"/v1/deals/{deal}/qualification")
    assert found["cost_of_idle_day"] == {"amount": "1240.00", "currency": "EUR"}
    assert found["policy_version"] >= 1
    assert found["pains"][0]["renew_on"] == str(today(office) + timedelta(days=61)), "what was decided stays"
    await rep.makes(f"/v1/deals/{deal}/state-budget", {**ANSWERS["state-budget"], "evidence": EVIDENCE})
    (_, _), *told = (await recorded(office, deal))[1:]
    assert told[0][1]["fades"] == {
        "half_life_days": 10,
        "renew_on": str(today(office) + timedelta(days=11)),
        "policy_version": found["policy_version"],
    }
    refused = await ops.does(POLICY, {"document": {**rule, "weakest": "2"}, "team": team.id})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/document/weakest")


async def test_api_1_what_is_wrong_with_an_answer_is_named_by_its_place(office: Office) -> None:
    """DEAL-5: grades lie between 1 and 5, and nothing is an answer without evidence."""
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    refused = await desk.does(f"/v1/deals/{deal}/assess-risk", {"text": " ", "likelihood": 0, "impact": 6})
    assert {error["pointer"] for error in refused.json()["errors"]} == {
        "/text",
        "/likelihood",
        "/impact",
        "/evidence",
    }
