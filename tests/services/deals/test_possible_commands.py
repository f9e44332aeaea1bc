"""What a thing says may be done with it, held against what its commands then answer."""

from typing import Any

import pytest

from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
from tests.described import document
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_dry_runs import NEW_DEAL

ASKING = [(Role.REP, 0), (Role.REP, 1), (Role.MANAGER, 2), (Role.SALES_OPERATIONS, None), (Role.EXECUTIVE, None)]
LED = {"open": (), "won": (("win", {}),), "lost": (("lose", {"reason": "price"}),)}

LONG_AGO = "2020-01-01"
"""No day on which a deal of these tests ended: what is repeated with equal content is no refusal."""


def addresses() -> dict[str, tuple[str, Any]]:
    """Address and example of a body by operation id."""
    return {
        told["operationId"]: (path, told["requestBody"]["content"]["application/json"]["example"])
        for path, operations in document()["paths"].items()
        for method, told in operations.items()
        if method != "get"
    }


@pytest.mark.parametrize("status", LED)
@pytest.mark.parametrize(("role", "place"), ASKING)
async def test_what_is_not_possible_is_refused_with_the_reason_that_was_given(
    office: Office, team: Team, role: Role, place: int | None, status: str
) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", NEW_DEAL)
    for command, body in LED[status]:
        await rep.makes(f"/v1/deals/{deal}/{command}", body)
    asks = office.somebody(role, "somebody-else" if place is None else team.subjects[place])
    if await asks.status(f"/v1/deals/{deal}") == 404:
        return
    shown = await asks.sees(f"/v1/deals/{deal}")
    assert shown["status"] == status
    known, refused = addresses(), 0
    for told in shown["commands"]:
        path, body = known[told["operation"]]
        body = {**body, "on": LONG_AGO} if "on" in body else body
        answer = await asks.client.post(dry_path(path).replace("{id}", deal), json=body)
        if told["possible"]:
            assert (told["code"], told["message"]) == (None, None)
            assert answer.status_code != 403, told
        else:
            said = answer.json()
            assert said["code"] == told["code"], (told, said)
            assert said["detail"] == told["message"]
            refused += 1
    assert refused > 0 or (role is Role.REP and status == "open")
