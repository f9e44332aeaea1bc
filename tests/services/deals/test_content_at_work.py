"""PROC-8: content over HTTP and PostgreSQL: who keeps it, what it is used for, and what is found for a deal."""

from typing import Any

from services.deals.projections.content_items import CONTENT_ITEM_PROJECTION
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import DEAL, codes, seen

AT = "/v1/content-items"


def case(**said: Any) -> dict[str, Any]:
    return {
        "key": f"case-{new_id()}",
        "kind": "case",
        "title": "A press line that stands still no more",
        "reference": "https://files.example/case.pdf",
        **said,
    }


async def test_proc_8_content_is_kept_in_versions_and_found_by_what_it_is_for(office: Office, team: Team) -> None:
    ops, marketing = office.somebody(), office.somebody(Role.MARKETING, "mara")
    rep = office.somebody(Role.REP, team.subjects[0])
    industry = f"industry-{new_id()}"
    body = case(buyer_stages=["evaluation"], industries=[industry], language="de")
    item = await marketing.makes(AT, body)
    shown = await rep.sees(f"{AT}/{item}")
    assert shown == {**shown, **body, "status": "active", "touchpoint": None, "content_version": 1}
    assert (await rep.does(AT, case())).status_code == 403
    taken = await ops.does(AT, case(key=body["key"]))
    assert taken.status_code == 409, taken.text

    changed = await marketing.client.patch(f"{AT}/{item}", json={"title": "Again"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    found = await seen(rep, changed, AT, industry=industry, buyer_stage="evaluation", language="de", kind="case")
    assert [(row["id"], row["content_version"]) for row in found["items"]] == [(item, 2)]
    for query in ({"buyer_stage": "use"}, {"language": "en"}, {"kind": "script"}, {"status": "retired"}):
        assert (await rep.sees(AT, **{"industry": industry, "key": body["key"], **query}))["items"] == []
    assert (await rep.sees(AT, key=body["key"], industry=f"other-{industry}"))["items"] == []

    everywhere = case()
    last = await ops.does(AT, everywhere)
    (row,) = (await seen(rep, last, AT, key=everywhere["key"], industry="any", buyer_stage="use"))["items"]
    assert (row["key"], row["buyer_stages"], row["industries"]) == (everywhere["key"], [], [])

    retired = await ops.does(f"{AT}/{item}/retire")
    assert retired.status_code == 200, retired.text
    (row,) = (await seen(rep, retired, AT, key=body["key"]))["items"]
    assert (row["status"], row["content_version"]) == ("retired", 2)
    assert (await ops.does(f"{AT}/{item}/reinstate")).status_code == 200
    running = office.running
    assert await differences(running.pool, running.log, CONTENT_ITEM_PROJECTION, running.settings.company) == []


async def test_proc_8_content_that_cannot_be_used_is_refused_with_every_fault(office: Office) -> None:
    ops = office.somebody()
    refused = await ops.does(AT, case(key="a b", reference="ftp://x", language="?!"))
    assert refused.status_code == 422, refused.text
    assert sorted(codes(refused)) == ["invalid-key", "invalid-language", "other-scheme"]
    wrong = await ops.does(AT, case(kind="song", buyer_stages=["sleep"], reference="x" * 501))
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/kind", "/buyer_stages/0", "/reference"}


async def test_proc_8_a_use_is_an_activity_of_the_deal(office: Office, team: Team) -> None:
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    item = await ops.makes(AT, case())
    deal = await rep.makes("/v1/deals", DEAL)
    used = await rep.does(f"/v1/deals/{deal}/log-activity", {"kind": "email", "content_id": item})
    assert used.status_code == 200, used.text
    (activity,) = (await rep.sees(f"/v1/deals/{deal}"))["activities"]
    assert activity["content"] == {"content_id": item, "content_version": 1, "use": "sent"}

    assert (await ops.does(f"{AT}/{item}/retire")).status_code == 200
    for wanted, code in ((item, "retired-content"), (str(new_id()), "unknown-content-item")):
        refused = await rep.does(f"/v1/deals/{deal}/log-activity", {"kind": "email", "content_id": wanted})
        assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [(code, "/content_id")]


async def test_proc_8_what_suits_a_deal_is_found_the_best_first_and_within_its_rights(office: Office) -> None:
    team = await office.team()
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    industry = f"industry-{new_id()}"
    stage = await ops.makes(AT, case(buyer_stages=["evaluation"], industries=[industry], language="fr"))
    other = await ops.makes(AT, case(buyer_stages=["evaluation"], industries=[industry], language="fr"))
    wrong = await ops.makes(AT, case(buyer_stages=["use"], industries=[industry], language="fr"))
    plain = await ops.makes(AT, case(industries=[industry], language="fr"))
    retired = await ops.makes(AT, case(industries=[industry], language="fr"))
    last = await ops.does(f"{AT}/{retired}/retire")

    deal = await rep.makes("/v1/deals", DEAL | {"industry": industry})
    noted = await rep.does(
        f"/v1/deals/{deal}/note-buyer-stage", {"buyer_stage": "evaluation", "evidence": "They compare offers"}
    )
    assert noted.status_code == 200, noted.text
    used = await rep.does(f"/v1/deals/{deal}/log-activity", {"kind": "email", "content_id": stage})
    assert used.status_code == 200, used.text
    found = await seen(rep, last, f"/v1/deals/{deal}/content", language="fr-CA")
    assert {name: found[name] for name in ("buyer_stage", "industry", "language")} == {
        "buyer_stage": "evaluation",
        "industry": industry,
        "language": "fr-CA",
    }
    mine = {stage, other, wrong, plain, retired}
    ranked = [(row["id"], row["fit"], row["uses"]) for row in found["items"] if row["id"] in mine]
    assert ranked == [(other, 3, 0), (stage, 3, 1), (plain, 2, 0)]

    german = await rep.sees(f"/v1/deals/{deal}/content", language="de")
    assert mine.isdisjoint(row["id"] for row in german["items"])
    by_request = await rep.client.get(f"/v1/deals/{deal}/content", headers={"Accept-Language": "de"})
    assert (by_request.json()["language"], by_request.headers["Vary"]) == ("de", "Accept-Language")
    invalid = await rep.client.get(f"/v1/deals/{deal}/content", params={"language": "?!"})
    assert (invalid.status_code, codes(invalid)) == (400, ["invalid-language"])
    stranger = office.somebody(Role.REP, (await office.team()).subjects[0])
    assert (await stranger.client.get(f"/v1/deals/{deal}/content")).status_code == 404
