"""DEAL-8: quotes over HTTP and PostgreSQL: written, decided by two at once, accepted once, and gone with their deal."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.domain.policies import QUOTES
from services.deals.projections.quotes import QUOTE_PROJECTION
from services.deals.quote_print.sheet import number_of
from shared.domain.roles import Role
from shared.eventstore.append import Append, Outcome
from shared.ops.ids import new_id
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_exchange_rates_at_work import published, table
from tests.services.deals.test_migrations_at_work import definition, stage
from tests.services.deals.test_service import codes, patched, seen
from tests.services.leads.conftest import Desk, unique
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

AT = "/v1/quotes"
DEAL: dict[str, Any] = {"amount": {"amount": "12000.00", "currency": "EUR"}}
INSTALLATION = {
    "name": "Installation",
    "unit": "day",
    "quantity": "2.5",
    "price": {"amount": "1200.00", "currency": "EUR"},
    "tax_percent": "19",
}
ASSESSMENT = {"difficulty": 3, "duration_days": 40, "reservations": ["Ask Quentin Ashgrove for the keys."]}
EVIDENCE = {"evidence": "Order 4711 of Quentin Ashgrove"}


async def did(desk: Desk, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    answer = await desk.does(path, body)
    assert answer.status_code in (200, 201), answer.text
    return answer


class Counter:
    """A rep with a deal, and those who decide about what is quoted on it."""

    def __init__(self, office: Office, team: Team) -> None:
        self.office, self.name = office, unique("Line")
        self.rep = office.somebody(Role.REP, team.subjects[0])
        self.other = office.somebody(Role.REP, team.subjects[1])
        self.manager_subject = team.subjects[2]
        self.manager = office.somebody(Role.MANAGER, self.manager_subject)
        self.product = office.somebody(Role.PRODUCT, "pia")
        self.deal, self.server = "", ""

    async def begin(self) -> "Counter":
        price = {"amount": "4800.00", "currency": "EUR"}
        self.server = await self.office.somebody().makes(
            "/v1/products", {"code": unique("SRV"), "name": "Server", "list_price": price}
        )
        self.deal = await self.rep.makes("/v1/deals", {**DEAL, "name": self.name})
        return self

    def servers(self, **more: Any) -> dict[str, Any]:
        return {"product_id": self.server, "quantity": "2", **more}

    async def drafts(self, *lines: dict[str, Any], **more: Any) -> str:
        body = {"deal_id": self.deal, "lines": list(lines) or [self.servers()], **more}
        return f"{AT}/{await self.rep.makes(AT, body)}"

    async def sends(self, *lines: dict[str, Any], **more: Any) -> str:
        """A quote that needs nobody, and is with the customer."""
        at = await self.drafts(*lines, **more)
        await did(self.rep, f"{at}/submit")
        await did(self.rep, f"{at}/send", {"channel": "e-mail"})
        return at

    async def status(self, at: str) -> str:
        return str((await self.rep.sees(at))["status"])

    async def becomes(self, at: str, status: str) -> None:
        async def is_so() -> bool:
            return await self.status(at) == status

        await until(is_so, 60)


@pytest.fixture
async def counter(office: Office, team: Team) -> Counter:
    return await Counter(office, team).begin()


async def test_deal_8_a_quote_is_written_decided_by_two_beside_each_other_sent_and_accepted(counter: Counter) -> None:
    """CON-2: the price waits in the list of decisions, and the delivery in the list of quotes."""
    rep = counter.rep
    drafted = await did(
        rep, AT, {"deal_id": counter.deal, "lines": [counter.servers(), INSTALLATION], "discount": {"percent": "5"}}
    )
    at = f"{AT}/{drafted.json()['id']}"
    shown = await rep.sees(at)
    assert (shown["status"], shown["quote_version"], shown["totals"]["net"]) == ("drafted", 1, "11970.00")
    changed = await patched(rep, at, 1, {"discount": {"percent": "20"}})
    assert changed.status_code == 200, changed.text
    submitted = await did(rep, f"{at}/submit")
    queue = {"deal": counter.deal, "needs_assessment": "true", "assessed": "false"}
    assert len((await seen(rep, submitted, AT, **queue))["items"]) == 1
    shown = await rep.sees(at)
    assert (shown["status"], shown["is_price_approved"], shown["needs_assessment"]) == ("submitted", False, True)
    approval = f"/v1/deal-approvals/{shown['approval_id']}"
    waits = await counter.manager.sees(approval)
    assert (waits["name"], waits["part"], waits["subject_kind"]) == (f"{counter.name}: quote", "version 1", "quote")
    own = await rep.does(f"{approval}/approve")
    assert (own.status_code, own.json()["code"]) == (409, "own-submission")
    assert (await rep.does(f"{at}/assess-delivery", ASSESSMENT)).status_code == 403
    assert (await rep.does(f"{at}/send", {"channel": "e-mail"})).json()["code"] == "not-in-this-state"

    approved, assessed = await asyncio.gather(
        counter.manager.does(f"{approval}/approve"), counter.product.does(f"{at}/assess-delivery", ASSESSMENT)
    )
    assert (approved.status_code, assessed.status_code) == (200, 200)
    shown = await rep.sees(at)
    assert (shown["status"], shown["assessment"]["duration_days"]) == ("approved", 40)

    await did(rep, f"{at}/send", {"channel": "e-mail"})
    await did(rep, f"{at}/note-opened")
    accepted = await did(rep, f"{at}/accept", EVIDENCE)
    deal = await rep.sees(f"/v1/deals/{counter.deal}")
    assert (deal["amount"]["amount"], deal["lines"]) == ("10080.00", [])
    (row,) = (await seen(rep, accepted, AT, deal=counter.deal))["items"]
    assert (row["status"], row["net"], row["discount_percent"], row["lines"]) == ("accepted", "10080.00", "20.00", 2)
    assert (await seen(rep, accepted, AT, **queue))["items"] == []
    refused = await rep.does(f"/v1/deals/{counter.deal}/change-amount", {"amount": DEAL["amount"]})
    assert (refused.status_code, codes(refused)) == (422, ["amount-is-quoted"])


async def test_deal_8_who_wrote_at_a_quote_decides_nothing_about_it(counter: Counter) -> None:
    """CON-2: neither about its price, whoever submitted it, nor, with the role for it, about its delivery."""
    rep, office = counter.rep, counter.office
    at = await counter.drafts(INSTALLATION)
    changed = await patched(counter.manager, at, 1, {"discount": {"percent": "20"}})
    assert changed.status_code == 200, changed.text
    await did(rep, f"{at}/submit")
    approval = f"/v1/deal-approvals/{(await rep.sees(at))['approval_id']}"
    director = office.somebody(Role.SALES_DIRECTOR, counter.manager_subject)
    for decision, body in (("approve", None), ("return-for-rework", {"reason": "Too cheap."})):
        refused = await director.does(f"{approval}/{decision}", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "own-work"), refused.text
    assessor = office.somebody(Role.PRODUCT, counter.manager_subject)
    answers: tuple[tuple[str, dict[str, object]], ...] = (
        ("assess-delivery", ASSESSMENT),
        ("return", {"reason": "Not like this."}),
    )
    for answer, said in answers:
        refused = await assessor.does(f"{at}/{answer}", said)
        assert (refused.status_code, refused.json()["code"]) == (409, "own-work"), refused.text
    shown = await rep.sees(at)
    assert (shown["status"], shown["is_price_approved"], shown["assessment"]) == ("submitted", False, None)
    await did(counter.product, f"{at}/assess-delivery", ASSESSMENT)
    assert (await rep.sees(at))["assessment"]["difficulty"] == 3


async def test_deal_8_products_that_are_accepted_are_the_lines_of_the_deal(counter: Counter) -> None:
    at = await counter.sends(counter.servers(discount={"percent": "10"}))
    await did(counter.rep, f"{at}/accept", EVIDENCE)
    deal = await counter.rep.sees(f"/v1/deals/{counter.deal}")
    assert deal["amount"] == {"amount": "8640.00", "currency": "EUR"}
    assert deal["lines"] == [
        {"product_id": counter.server, "quantity": "2", "price": {"amount": "4320.00", "currency": "EUR"}}
    ]


async def test_deal_8_a_price_in_a_currency_without_a_list_waits_for_a_manager(counter: Counter) -> None:
    office = counter.office
    day = office.running.settings.company.day(office.running.clock.now())
    done = await published(office.somebody(Role.FINANCE, "fred"), table(day.isoformat(), USD="1.10"))
    await seen(office.somebody(), done, "/v1/exchange-rates")
    dollar = {"amount": "1.00", "currency": "USD"}
    await did(counter.rep, f"/v1/deals/{counter.deal}/change-amount", {"amount": dollar})
    at = await counter.drafts(counter.servers(price=dollar))
    await did(counter.rep, f"{at}/submit")
    shown = await counter.rep.sees(at)
    assert (shown["status"], shown["needs_assessment"], shown["totals"]["discount_percent"]) == (
        "submitted",
        False,
        "0.00",
    )
    await did(counter.manager, f"/v1/deal-approvals/{shown['approval_id']}/approve")
    assert await counter.status(at) == "approved"


async def test_deal_8_a_further_version_is_judged_by_the_list_of_today(counter: Counter) -> None:
    """What has become dearer is a discount by now, and what is not sold any more is not offered again."""
    ops, rep = counter.office.somebody(), counter.rep
    at, product = await counter.sends(), f"/v1/products/{counter.server}"
    await did(rep, f"{at}/revise")
    dearer = {"amount": "48000.00", "currency": "EUR"}
    version = (await ops.sees(product))["version"]
    assert (await patched(ops, product, version, {"list_price": dearer, "active": False})).status_code == 200
    refused = await rep.does(f"{at}/submit")
    assert (refused.status_code, codes(refused)) == (422, ["inactive-product"])
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/lines/0/product_id"]
    version = (await ops.sees(product))["version"]
    assert (await patched(ops, product, version, {"active": True})).status_code == 200
    done = await did(rep, f"{at}/submit")
    shown = await rep.sees(at)
    assert (shown["status"], shown["quote_version"], shown["lines"][0]["list_price"]) == ("submitted", 2, dearer)
    (row,) = (await seen(rep, done, AT, deal=counter.deal))["items"]
    assert row["discount_percent"] == shown["totals"]["discount_percent"] == "90.00"


async def test_deal_8_lines_that_were_accepted_are_not_replaced(counter: Counter) -> None:
    at = await counter.sends(counter.servers(discount={"percent": "5"}))
    await did(counter.rep, f"{at}/accept", EVIDENCE)
    path = f"/v1/deals/{counter.deal}"
    shown = await counter.rep.sees(path)
    cheap = counter.servers(quantity="900", price={"amount": "1.00", "currency": "EUR"})
    change = {"amount": shown["amount"], "lines": [cheap]}
    refused = await patched(counter.rep, path, shown["version"], change)
    assert (refused.status_code, codes(refused)) == (422, ["lines-are-quoted"])
    assert (await counter.rep.sees(path))["lines"] == shown["lines"]


async def test_deal_8_team_and_product_see_a_quote_and_other_reps_do_not(counter: Counter) -> None:
    """API-4"""
    drafted = await did(counter.rep, AT, {"deal_id": counter.deal, "lines": [INSTALLATION]})
    at = f"{AT}/{drafted.json()['id']}"
    for reader in (counter.rep, counter.manager, counter.product):
        assert await reader.status(at) == 200
        assert len((await seen(reader, drafted, AT, deal=counter.deal))["items"]) == 1
    assert await counter.other.status(at) == 404
    assert (await seen(counter.other, drafted, AT, deal=counter.deal))["items"] == []
    body = {"deal_id": counter.deal, "lines": [INSTALLATION]}
    assert (await counter.other.does(AT, body)).json()["code"] == "unknown-deal"
    assert (await counter.product.does(AT, body)).status_code == 403


async def test_deal_8_what_is_wrong_is_refused_with_its_field(counter: Counter) -> None:
    wrong = await counter.rep.does(AT, {"deal_id": counter.deal, "lines": [{"quantity": "1"}]})
    assert (codes(wrong), [each["pointer"] for each in wrong.json()["errors"]]) == (
        ["name-needed", "price-needed"],
        ["/lines/0/name", "/lines/0/price"],
    )
    unknown = {"product_id": str(UUID(int=9)), "quantity": "1"}
    assert codes(await counter.rep.does(AT, {"deal_id": counter.deal, "lines": [unknown]})) == ["unknown-product"]


async def test_deal_8_a_limit_of_discount_is_that_of_an_active_member(counter: Counter) -> None:
    document = {**QUOTES.example, "discount_limits": [{"members": [str(UUID(int=9))], "percent": "15"}]}
    refused = await counter.office.somebody(Role.SALES_DIRECTOR).does(
        "/v1/deal-policies/quotes", {"team": str(new_id()), "document": document}
    )
    assert "unknown-member" in codes(refused), refused.text
    pointers = [each["pointer"] for each in refused.json()["errors"] if each["code"] == "unknown-member"]
    assert "/document/discount_limits/0/members/0" in pointers


async def test_deal_8_of_two_quotes_that_are_accepted_at_once_one_is(counter: Counter) -> None:
    first, second = await counter.sends(), await counter.sends(counter.servers(quantity="3"))
    answers = await asyncio.gather(*(counter.rep.does(f"{at}/accept", EVIDENCE) for at in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    assert codes(refused) == ["other-quote-accepted"]
    (taken,) = [at for at in (first, second) if await counter.status(at) == "accepted"]
    (left,) = [at for at in (first, second) if at != taken]
    net = (await counter.rep.sees(taken))["totals"]["net"]
    assert (await counter.rep.sees(f"/v1/deals/{counter.deal}"))["amount"]["amount"] == net
    await did(counter.rep, f"{taken}/set-aside", {"reason": "The customer wants the other one."})
    await did(counter.rep, f"{left}/accept", EVIDENCE)


async def test_deal_8_a_deal_that_ends_meanwhile_accepts_nothing(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided on the open deal, and appended once it is lost."""
    ops, appender = Desk(client=alone.client(Role.SALES_OPERATIONS)), alone.running.commands._appender
    at, deal = await sent_alone(ops)
    append = appender.append

    async def once_it_is_lost(what: Append) -> Outcome:
        monkeypatch.setattr(appender, "append", append)
        await did(ops, f"/v1/deals/{deal}/lose", {"reason": "price"})
        return await append(what)

    monkeypatch.setattr(appender, "append", once_it_is_lost)
    refused = await ops.does(f"{at}/accept", EVIDENCE)
    # What follows from the loss may have withdrawn it by now.
    assert (refused.status_code, codes(refused)[0] in {"deal-is-closed", "not-in-this-state"}) == (409, True)


async def sent_alone(ops: Desk, *, of_lines: bool = False) -> tuple[str, str]:
    """A quote that needs nobody, with the customer, and its deal, which may be about the same lines already."""
    price = {"amount": "4800.00", "currency": "EUR"}
    server = await ops.makes("/v1/products", {"code": unique("SRV"), "name": "Server", "list_price": price})
    lines = [{"product_id": server, "quantity": "2"}]
    deal = await ops.makes("/v1/deals", {"name": "Line", **({"lines": lines} if of_lines else DEAL)})
    at = f"{AT}/{await ops.makes(AT, {'deal_id': deal, 'lines': lines})}"
    await did(ops, f"{at}/submit")
    await did(ops, f"{at}/send", {"channel": "e-mail"})
    return at, deal


async def test_deal_8_an_amount_that_changes_as_a_quote_is_accepted_is_that_of_the_quote(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided while nothing was accepted, and appended once a quote is that changes neither amount nor lines."""
    ops, appender = Desk(client=alone.client(Role.SALES_OPERATIONS)), alone.running.commands._appender
    at, deal = await sent_alone(ops, of_lines=True)
    before = await ops.sees(f"/v1/deals/{deal}")
    append = appender.append

    async def once_it_is_accepted(what: Append) -> Outcome:
        monkeypatch.setattr(appender, "append", append)
        await did(ops, f"{at}/accept", EVIDENCE)
        return await append(what)

    monkeypatch.setattr(appender, "append", once_it_is_accepted)
    other = {"amount": {"amount": "1.00", "currency": "EUR"}}
    refused = await ops.does(f"/v1/deals/{deal}/change-amount", other)
    assert (refused.status_code, codes(refused)) == (422, ["amount-is-quoted"])
    shown = await ops.sees(f"/v1/deals/{deal}")
    assert (shown["amount"], shown["lines"]) == (before["amount"], before["lines"])
    await did(ops, f"{at}/set-aside", {"reason": "Half of it."})
    await did(ops, f"/v1/deals/{deal}/change-amount", other)


async def test_deal_9_a_deal_is_not_won_by_a_quote_that_is_set_aside_meanwhile(office: Office) -> None:
    """Both decided at once, and one of them appended after the other."""
    team = await office.team()
    await did(
        office.somebody(), "/v1/deal-policies/winning", {"document": {"needs": "accepted-quote"}, "team": team.id}
    )
    counter = await Counter(office, team).begin()
    at = await counter.sends()
    await did(counter.rep, f"{at}/accept", EVIDENCE)
    win, aside = await asyncio.gather(
        counter.rep.does(f"/v1/deals/{counter.deal}/win"), counter.rep.does(f"{at}/set-aside", {"reason": "Half."})
    )
    assert sorted((win.status_code, aside.status_code)) == [200, 409]


async def test_deal_8_a_quote_expires_by_the_clock_and_can_be_offered_anew(alone: Errands) -> None:
    running = alone.running
    ops = Desk(client=alone.client(Role.SALES_OPERATIONS))
    at, _ = await sent_alone(ops)
    await running.clock.advance(running.pool, timedelta(days=31))

    async def expired() -> bool:
        return str((await ops.sees(at))["status"]) == "expired"

    await until(expired, 60)
    late = await ops.does(f"{at}/accept", EVIDENCE)
    assert (late.status_code, late.json()["code"]) == (409, "not-in-this-state")
    revised = await did(ops, f"{at}/revise")
    shown = await ops.sees(at)
    assert (shown["status"], shown["quote_version"], [each["ended_as"] for each in shown["versions"]]) == (
        "drafted",
        2,
        ["expired"],
    )
    (row,) = (await seen(ops, revised, AT, status="drafted"))["items"]
    assert (row["quote_version"], row["ended_on"]) == (2, None)


async def test_deal_8_what_is_accepted_as_its_time_runs_out_is_accepted_or_expired(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided on its last day, and appended once it has expired: never both."""
    running = alone.running
    ops, appender = Desk(client=alone.client(Role.SALES_OPERATIONS)), running.commands._appender
    at, deal = await sent_alone(ops)
    append = appender.append

    async def once_it_has_expired(what: Append) -> Outcome:
        monkeypatch.setattr(appender, "append", append)
        await running.clock.advance(running.pool, timedelta(days=31))

        async def expired() -> bool:
            return str((await ops.sees(at))["status"]) == "expired"

        await until(expired, 60)
        return await append(what)

    monkeypatch.setattr(appender, "append", once_it_has_expired)
    refused = await ops.does(f"{at}/accept", EVIDENCE)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-in-this-state")
    assert (await ops.sees(f"/v1/deals/{deal}"))["amount"]["amount"] == "12000.00"


async def test_deal_8_the_page_of_a_deal_has_its_quotes_and_what_each_waits_for(counter: Counter) -> None:
    """DEAL-2: in the one request of the page."""
    rep, page = counter.rep, f"/v1/deals/{counter.deal}/page"

    async def shown(last: httpx.Response, desk: Desk = rep) -> Any:
        return (await seen(desk, last, page))["quotes"]

    drafted = await did(rep, AT, {"deal_id": counter.deal, "lines": [counter.servers(), INSTALLATION]})
    at = f"{AT}/{drafted.json()['id']}"
    (quote,) = await shown(drafted)
    assert quote == {
        "id": drafted.json()["id"],
        "number": number_of(UUID(drafted.json()["id"])),
        "quote_version": 1,
        "status": "drafted",
        "net": {"amount": "12600.00", "currency": "EUR"},
        "total": {"amount": (await rep.sees(at))["totals"]["total"], "currency": "EUR"},
        "discount_percent": "0.00",
        "valid_until": None,
        "waits_for": ["sales"],
    }
    await patched(rep, at, 1, {"discount": {"percent": "20"}})
    submitted = await did(rep, f"{at}/submit")
    assert [each["waits_for"] for each in await shown(submitted, desk=counter.product)] == [["price", "delivery"]]
    assessed = await did(counter.product, f"{at}/assess-delivery", ASSESSMENT)
    assert [each["waits_for"] for each in await shown(assessed)] == [["price"]]
    approval = (await rep.sees(at))["approval_id"]
    approved = await did(counter.manager, f"/v1/deal-approvals/{approval}/approve")
    assert [(each["status"], each["waits_for"]) for each in await shown(approved)] == [("approved", ["sales"])]
    sent = await did(rep, f"{at}/send", {"channel": "e-mail"})
    (quote,) = await shown(sent)
    assert (quote["status"], quote["waits_for"], quote["valid_until"]) == (
        "sent",
        ["customer"],
        (await rep.sees(at))["valid_until"],
    )
    await did(rep, f"{at}/accept", EVIDENCE)
    other = await did(rep, AT, {"deal_id": counter.deal, "lines": [counter.servers()]})
    told = {each["id"]: (each["status"], each["waits_for"]) for each in await shown(other)}
    assert told == {drafted.json()["id"]: ("accepted", []), other.json()["id"]: ("drafted", ["sales"])}


async def test_deal_8_a_gate_asks_for_an_accepted_quote(counter: Counter) -> None:
    """DEAL-3: what is unmet is told with the value that it met; the deal is ready once it is accepted, and no more once
    that is set aside."""
    desk = counter.rep
    asked = {
        "key": "quoted",
        "name": "The customer has accepted a quote",
        "when": {"fact": "quote_accepted", "operator": "is", "value": True},
    }
    first = stage("offer", "0.40", exit=[asked])
    process = await counter.office.somebody().makes(
        "/v1/processes", {"definition": definition(unique("quoted"), first, stage("contract", "0.90"))}
    )
    deal = await desk.makes("/v1/deals", {**DEAL, "name": unique("Line"), "process_id": process})
    at = f"/v1/deals/{deal}"
    refused = await desk.does(f"{at}/move", {"stage": "contract"})
    assert (refused.status_code, refused.json()["code"]) == (409, "gate-closed")
    (error,) = refused.json()["errors"]
    assert {name: error["details"][name] for name in ("expected", "met", "by")} == {
        "expected": "quote_accepted is True",
        "met": {"quote_accepted": False},
        "by": {},
    }
    counter.deal = deal
    quote = await counter.sends()
    assert (await desk.sees(f"{at}/page"))["gate"]["is_open"] is False
    accepted = await did(desk, f"{quote}/accept", EVIDENCE)
    assert (await seen(desk, accepted, f"{at}/page"))["gate"]["is_open"] is True

    async def is_ready(expected: bool) -> None:
        async def is_so() -> bool:
            return ((await desk.sees(at))["ready_on"] is not None) == expected

        await until(is_so, 60)

    await is_ready(True)
    await did(desk, f"{quote}/set-aside", {"reason": "They want half of it."})
    await is_ready(False)
    assert (await desk.does(f"{at}/move", {"stage": "contract"})).json()["code"] == "gate-closed"


async def test_deal_8_what_is_offered_goes_with_a_deal_that_is_lost_and_nobody_is_asked(counter: Counter) -> None:
    waiting, sent = await counter.drafts(INSTALLATION), await counter.sends()
    await did(counter.rep, f"{waiting}/submit")
    approval = f"/v1/deal-approvals/{(await counter.rep.sees(waiting))['approval_id']}"
    await did(counter.rep, f"/v1/deals/{counter.deal}/lose", {"reason": "price"})
    for at in (waiting, sent):
        await counter.becomes(at, "withdrawn")
    assert (await counter.manager.sees(approval))["status"] == "recalled"
    refused = await counter.rep.does(AT, {"deal_id": counter.deal, "lines": [INSTALLATION]})
    assert codes(refused) == ["deal-is-closed"]


async def test_deal_8_a_quote_belongs_to_whom_its_deal_was_handed_to(counter: Counter, team: Team) -> None:
    at = await counter.drafts(INSTALLATION)
    await did(counter.manager, f"/v1/deals/{counter.deal}/hand-over", {"owner": team.other, "reason": "Leave"})

    async def handed() -> bool:
        return await counter.other.status(at) == 200

    await until(handed, 60)
    assert await counter.rep.status(at) == 404
    await did(counter.other, f"{at}/withdraw")


async def test_deal_8_a_quote_goes_by_the_rules_of_the_process_that_its_deal_was_migrated_to(office: Office) -> None:
    team, ops = await office.team(), office.somebody()
    counter = await Counter(office, team).begin()
    process = definition(f"strict-{new_id()}", stage("review", "0.30"))
    other = await ops.makes("/v1/processes", {"definition": process})
    asks = {"steps": [{"key": "director", "name": "Director", "approvers": [{"role": "sales-director"}]}]}
    rules = {**QUOTES.example, "chain": asks}
    await did(ops, "/v1/deal-policies/quotes", {"document": rules, "process": other})
    at = await counter.drafts()
    await did(
        ops,
        f"/v1/deals/{counter.deal}/migrate",
        {"process_id": other, "process_version": 1, "stage": "review", "reason": "New territory"},
    )
    await did(counter.rep, f"{at}/submit")
    assert await counter.status(at) == "submitted"


async def test_deal_9_by_policy_a_deal_is_won_once_a_quote_is_accepted(office: Office) -> None:
    """DEAL-7: what is told to be next is what winning is refused for."""
    team = await office.team()
    counter = await Counter(office, team).begin()
    rep = counter.rep
    await did(
        office.somebody(), "/v1/deal-policies/winning", {"document": {"needs": "accepted-quote"}, "team": team.id}
    )
    refused = await rep.does(f"/v1/deals/{counter.deal}/win")
    assert (refused.status_code, refused.json()["code"]) == (409, "quote-not-accepted")
    at = await counter.sends()
    await did(rep, f"{at}/accept", EVIDENCE)
    await did(rep, f"/v1/deals/{counter.deal}/win")
    aside = await rep.does(f"{at}/set-aside", {"reason": "Too late."})
    assert (aside.status_code, aside.json()["code"]) == (409, "deal-is-closed")
    assert await counter.status(at) == "accepted"


async def test_data_4_what_was_written_goes_with_the_texts_of_the_deal(counter: Counter) -> None:
    at = await counter.sends()
    await did(counter.rep, f"{at}/accept", EVIDENCE)
    pool, made = counter.office.running.pool, UUID(at.rpartition("/")[2])
    stored = await pool.fetch("select data::text from event where aggregate_id = $1", made)
    assert "Quentin" not in "".join(row["data"] for row in stored)
    assert await personal_rows(pool, made) == 1
    await did(counter.office.somebody(), f"/v1/deals/{counter.deal}/erase-texts")
    assert await personal_rows(pool, made) == 0
    shown = await counter.rep.sees(at)
    assert (shown["evidence"], shown["status"]) == ("", "accepted")


async def test_data_4_what_a_position_was_called_goes_with_the_texts_of_the_deal(counter: Counter) -> None:
    """It stands beside the log, so no topic has it; the print calls it a position."""
    at = await counter.drafts(counter.servers(), {**INSTALLATION, "name": "Desk for Quentin Ashgrove"})
    version = (await counter.rep.sees(at))["version"]
    assert (await patched(counter.rep, at, version, {"discount": {"percent": "5"}})).status_code == 200
    pool, made = counter.office.running.pool, UUID(at.rpartition("/")[2])
    ways = (at, f"{at}/history", f"{at}/print.html")
    stored = await pool.fetch("select data::text from event where aggregate_id = $1", made)
    assert "Quentin" not in "".join(row["data"] for row in stored)
    assert all(["Quentin" in (await counter.rep.client.get(way)).text for way in ways])
    await did(counter.office.somebody(), f"/v1/deals/{counter.deal}/erase-texts")
    assert await personal_rows(pool, made) == 0
    assert not any(["Quentin" in (await counter.rep.client.get(way)).text for way in ways])
    assert [line["name"] for line in (await counter.rep.sees(at))["lines"]] == ["Server", ""]
    assert ">Position<" in (await counter.rep.client.get(f"{at}/print.html")).text


async def test_data_3_the_list_is_what_a_fresh_fold_gives(counter: Counter) -> None:
    at, running = await counter.sends(), counter.office.running
    done = await did(counter.rep, f"{at}/revise")
    await seen(counter.rep, done, AT, deal=counter.deal)
    assert await differences(running.pool, running.log, QUOTE_PROJECTION, running.settings.company) == []
