"""Property-based testing of the HTTP interface against its own document (Schemathesis): no 5xx, and nothing outside it.

Every operation is asked with its own example; `make campaign` asks each a few times more with what the document allows,
and with what it does not. Most ids in addresses are of things that are there.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.ops.ids import new_id
from tests.journey.company import Company, done, found, made, open_deal, work_through
from tests.whole_stack import WholeStack

EACH = int(os.environ.get("CONFORMANCE_EACH", "0"))
"""How often an operation is asked with what is drawn of what is allowed, and how often of what is not."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "text/event-stream"
Known = Mapping[str, Sequence[str]]
"""The ids of things that are there, by the plural of their kind."""


async def test_every_operation_answers_as_its_document_says(empty_stack: WholeStack) -> None:
    """API-1, API-3: asked by somebody who may do everything."""
    company = await found(empty_stack)
    await something_of_everything(company)
    token = empty_stack.token("admin")
    wrong, answers, known = await asyncio.to_thread(ask_everything, empty_stack.origin, token)
    assert wrong == []
    assert {"deals", "leads", "processes", "teams", "members", "contracts"} <= known.keys()
    assert {200, 201, 404, 409, 422} <= answers.keys(), "content is sensible often enough to be accepted, and refused"


async def something_of_everything(company: Company) -> None:
    """What the addresses are to meet."""
    for stage in ("needs-confirmed", "contract-drafting"):
        deal = await open_deal(company)
        await work_through(company, deal.id, stage)
    await done(company.rep, f"/v1/deals/{deal.id}/win", {"on": str(company.today)})
    await open_deal(company)
    lead = {"company_name": f"Northwind {company.mark}", "source": "referral", "email": f"a@{company.mark}.example"}
    await made(company.rep, "/v1/leads", lead)
    await made(company.operations, "/v1/accounts", {"name": f"Fabrikam {company.mark}"})
    product = {"code": f"P-{company.mark}", "name": "Pump", "list_price": {"amount": "10.00", "currency": "EUR"}}
    await made(company.operations, "/v1/products", product)


def ids_of(document: Mapping[str, Any], origin: str, token: str) -> Known:
    """The ids of whatever the lists of the document hold."""
    known: dict[str, list[str]] = {}
    with httpx.Client(base_url=origin, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        for path, told in document["paths"].items():
            plural = path.removeprefix("/v1/")
            if "get" not in told or "{" in path or "/" in plural:
                continue
            if ENDLESS in told["get"]["responses"]["200"].get("content", {}):
                continue
            answer = client.get(path)
            items = answer.json().get("items", []) if answer.headers["content-type"] == "application/json" else []
            if ids := [item["id"] for item in items if isinstance(item, dict) and "id" in item]:
                known[plural] = ids
    return known


def ask_everything(origin: str, token: str) -> tuple[list[str], Mapping[int, int], Known]:
    """What was answered otherwise than the document says, how often each status was, and what there was to ask for."""
    document = httpx.get(f"{origin}/openapi.json").raise_for_status().json()
    known = ids_of(document, origin, token)
    wrong: list[str] = []
    answers: dict[int, int] = {}
    for operation in operations_of(document):
        for example in operation.get_strategies_from_examples():
            ask(operation, example, 1, origin, token, known, wrong=wrong, answers=answers)
        for mode in GenerationMode if EACH else ():
            drawn = operation.as_strategy(generation_mode=mode)
            ask(operation, drawn, EACH, origin, token, known, wrong=wrong, answers=answers)
    return wrong, answers, known


def operations_of(document: dict[str, Any]) -> Iterator[Any]:
    results: Iterator[Any] = iter(schemathesis.openapi.from_dict(document).get_all_operations())
    for result in results:
        operation = result.ok()
        contents = operation.definition.raw["responses"].get("200", {}).get("content", {})
        if ENDLESS not in contents:
            yield operation


def ask(
    operation: Any,
    cases: st.SearchStrategy[Any],
    often: int,
    origin: str,
    token: str,
    known: Known,
    *,
    wrong: list[str],
    answers: dict[int, int],
) -> None:
    """Ask one operation so often."""
    dice = random.Random(operation.label)
    there = known.get(operation.path.removeprefix("/v1/dry-runs/").removeprefix("/v1/").partition("/")[0], ())

    @settings(
        max_examples=often,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: Any) -> None:
        if there and "id" in (case.path_parameters or {}) and dice.random() < 0.8:
            case.path_parameters["id"] = dice.choice(there)
        headers = {"Authorization": f"Bearer {token}"}
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            for name in ("If-Match", "If-None-Match"):
                case.headers.pop(name, None)
            headers["Idempotency-Key"] = str(new_id())
            if operation.method in {"patch", "put"}:
                headers["If-Match"] = '"1"'
        response = case.call(base_url=origin, headers=headers, timeout=60)
        answers[response.status_code] = answers.get(response.status_code, 0) + 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            told = getattr(failure, "exceptions", [failure])
            wrong.extend(f"{operation.label}: {each}" for each in told)

    run()
