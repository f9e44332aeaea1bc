"""REC-5: an inbox: what waits is told to those whom it concerns, and each sees, reads and takes on their own."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.forecast.domain.notice import notice_of
from shared.domain.roles import Role
from shared.events.approvals import PlannedStep, Slot, approval_events
from shared.events.deals.deal import DealAbandoned, DealRenamed
from shared.events.deals.deal_automation import DealRuleFired
from shared.events.deals.deal_help import DealGuidanceGiven, DealHelpAsked, DealHelpConcluded
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.quote import QuoteDealChanged, QuoteDeliveryAssessed, QuoteReturned, QuoteSubmitted
from shared.events.deals.stage_visit import StageVisitEnded, StageVisitRuleFired
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestOverdue,
    SupportRequestReturned,
    SupportRequestWithdrawn,
)
from shared.events.envelope import Envelope
from shared.events.forecast.occasion import OccasionArose
from shared.events.leads.account import AccountOpened
from shared.events.leads.member import MemberJoined, MemberLeft
from shared.events.leads.team import ManagerAppointed, TeamFormed
from shared.events.process import Template
from shared.events.receivables.ledger import InvoiceOverdue, ReceiptAllocated
from tests.described import as_described
from tests.services.forecast.conftest import arrived, journaled
from tests.services.forecast.facts import DEAL, day, eur, fact, lost, moved, won
from tests.services.forecast.test_migrated_deals import MIGRATED
from tests.services.leads.conftest import patiently
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until

NOON = day("2026-03-10")
ROLES = {
    "anna": Role.REP,
    "ben": Role.REP,
    "mona": Role.MANAGER,
    "head": Role.MANAGER,
    "fred": Role.FINANCE,
    "gone": Role.FINANCE,
    "dora": Role.SALES_DIRECTOR,
    "lara": Role.LEGAL,
    "pia": Role.PRESALES,
    "pete": Role.PRESALES,
    "paul": Role.MANAGER,
    "dan": Role.DELIVERY,
    "petra": Role.PRODUCT,
    "quinn": Role.PRODUCT,
    "rosa": Role.PRODUCT,
}

THINGS = ("north", "all", "tech", "acme")
TEAMS = dict.fromkeys(("anna", "ben", "mona"), "north") | dict.fromkeys(("pia", "pete", "paul"), "tech")


@dataclass
class Company:
    """A company of its own: a team of two reps below another one, finance, the director and legal, a team of presales,
    and delivery, whom nobody leads."""

    served: Errands
    ids: dict[str, UUID] = field(
        default_factory=lambda: {name: uuid4() for name in (*ROLES, "north", "all", "tech", "acme")}
    )

    def of(self, data: Any, about: UUID, sequence: int = 1, **more: Any) -> Envelope[Any]:
        made = fact(sequence, data, NOON, deal=about)
        named: dict[str, Any] = {"service": data.type.partition(".")[0], "aggregate": data.aggregate, "id": uuid4()}
        return replace(made, **{**named, **more})

    def subject(self, name: str) -> str:
        return f"{name}-{self.ids['all']}"

    def client(self, name: str) -> httpx.AsyncClient:
        return self.served.client(ROLES[name], self.subject(name))

    async def begin(self) -> None:
        ids = self.ids
        team = {
            "anna": "north",
            "ben": "north",
            "mona": "north",
            "head": "all",
            "pia": "tech",
            "pete": "tech",
            "paul": "tech",
        }
        facts = [
            self.of(TeamFormed(team_id=ids["all"], name="All"), ids["all"]),
            self.of(TeamFormed(team_id=ids["north"], name="North", parent_id=ids["all"]), ids["north"]),
            self.of(TeamFormed(team_id=ids["tech"], name="Tech"), ids["tech"]),
            *(
                self.of(
                    MemberJoined(
                        member_id=ids[name],
                        subject=self.subject(name),
                        name=name.title(),
                        role=role,
                        team_id=ids.get(team.get(name, "")),
                    ),
                    ids[name],
                )
                for name, role in ROLES.items()
            ),
            self.of(ManagerAppointed(team_id=ids["north"], member_id=ids["mona"]), ids["north"], 2),
            self.of(ManagerAppointed(team_id=ids["all"], member_id=ids["head"]), ids["all"], 2),
            self.of(ManagerAppointed(team_id=ids["tech"], member_id=ids["paul"]), ids["tech"], 2),
            self.of(MemberLeft(member_id=ids["gone"], on=NOON.date()), ids["gone"], 2),
            self.of(AccountOpened(account_id=ids["acme"], name="Acme"), ids["acme"]),
        ]
        await journaled(self.served.running, facts)

    async def end(self) -> None:
        """Everybody leaves, so that no other test tells them anything."""
        left = [self.of(MemberLeft(member_id=self.ids[name], on=NOON.date()), self.ids[name], 3) for name in ROLES]
        await journaled(self.served.running, left)

    def overdue(self, owner: str | None = "anna", team: str | None = "north", **more: Any) -> Envelope[InvoiceOverdue]:
        ledger = uuid4()
        event = InvoiceOverdue(
            ledger_id=ledger,
            account_id=self.ids["acme"],
            invoice_id=uuid4(),
            invoice_number="MAIN-000001",
            due=date(2026, 3, 9),
            open=eur("100.00"),
            owner=self.ids[owner] if owner else None,
            team=self.ids[team] if team else None,
        )
        return self.of(event, ledger, **more)

    def late_help(self, department: Role = Role.PRESALES, **more: Any) -> Envelope[SupportRequestOverdue]:
        request = uuid4()
        event = SupportRequestOverdue(
            support_request_id=request,
            deal_id=uuid4(),
            name="Design of the solution",
            department=department,
            due=date(2026, 3, 9),
            asked_by=self.ids["anna"],
            responsible=None,
            owner=self.ids["anna"],
            team=self.ids["north"],
            account_id=self.ids["acme"],
        )
        return self.of(replace(event, **more), request)

    async def happens(self, *facts: Envelope[Any]) -> None:
        """Journal facts, and wait until they are reacted to and what follows is in the list."""
        running = self.served.running
        await arrived(running, facts)
        head = await running.journal.head()

        async def reacted() -> bool:
            at = await running.pool.fetchval("select position from mark where name = 'reactions-journal'")
            return bool(at is not None and at >= head)

        await until(reacted, 60)
        end = await running.log.head()

        async def listed() -> bool:
            async with running.projections.reading({"notices"}) as reading:
                return reading.position >= end

        await until(listed, 60)

    async def raised_of(self, cause: Envelope[Any]) -> set[UUID]:
        """The notices that were raised of an event, whoever's."""
        events = (await self.served.running.log.read(0, 10_000)).events
        told = [each.data for each in events if isinstance(each, Envelope) and isinstance(each.data, OccasionArose)]
        return {notice for each in told if each.cause == cause.id for notice in each.notices}

    async def inbox(self, name: str, **query: Any) -> list[dict[str, Any]]:
        found = await self.client(name).get("/v1/notices", params={"limit": 100, **query})
        assert found.status_code == 200, found.text
        items: list[dict[str, Any]] = as_described("/v1/notices", found.json())["items"]
        return items

    async def listed(self, name: str, path: str, after: httpx.Response) -> list[dict[str, Any]]:
        """A list, once it holds what a command did."""
        headers = {"Consistency-Token": after.headers["Consistency-Token"]}
        found = await patiently(lambda: self.client(name).get(path, headers=headers), headers)
        assert found.status_code == 200, found.text
        items: list[dict[str, Any]] = as_described(path, found.json())["items"]
        return items

    async def told(self) -> set[str]:
        """Whose inbox is not empty."""
        return {name for name in ROLES if name != "gone" and await self.inbox(name)}


@pytest.fixture
async def company(served: Errands) -> Any:
    made = Company(served)
    await made.begin()
    yield made
    await made.end()


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})


async def test_owner_who_leads_them_and_finance_are_told(company: Company) -> None:
    overdue = company.overdue()
    await company.happens(overdue)
    assert await company.told() == {"anna", "mona", "fred"}
    raised = {notice_of(overdue.id, company.ids[name]) for name in ("anna", "mona", "fred")}
    assert await company.raised_of(overdue) == raised, "whoever has left is told nothing"
    (told,) = await company.inbox("anna")
    assert told == {
        **told,
        "version": 1,
        "kind": "invoice-overdue",
        "status": "unread",
        "about": "invoice",
        "about_id": str(overdue.data.invoice_id),
        "account_id": str(company.ids["acme"]),
        "account_name": "Acme",
        "amount": {"amount": "100.00", "currency": "EUR"},
        "due": "2026-03-09",
        "reference": "MAIN-000001",
        "muted": False,
        "member": str(company.ids["anna"]),
        "member_name": "Anna",
    }


async def test_the_next_one_above_leads_a_manager(company: Company) -> None:
    await company.happens(company.overdue("mona"))
    assert await company.told() == {"mona", "head", "fred"}


async def test_without_an_owner_whoever_leads_the_team_is_told(company: Company) -> None:
    await company.happens(company.overdue(owner=None))
    assert await company.told() == {"mona", "fred"}


async def test_history_tells_nobody(company: Company) -> None:
    await company.happens(company.overdue(imported=True))
    assert await company.told() == set()


async def test_each_sees_and_handles_their_own_alone(company: Company) -> None:
    """API-4."""
    await company.happens(company.overdue())
    (told,) = await company.inbox("anna")
    here = f"/v1/notices/{told['id']}"
    anna, ben, mona = company.client("anna"), company.client("ben"), company.client("mona")
    for stranger in (ben, mona, company.client("dora")):
        assert (await stranger.get(here)).status_code == 404
        for what in ("read", "acknowledge"):
            problem(await post(stranger, f"{here}/{what}"), 404, "not-found")
    assert (await anna.get(here)).json()["status"] == "unread"
    for what, status in (("read", "read"), ("read", "read"), ("acknowledge", "acknowledged"), ("read", "acknowledged")):
        answer = await post(anna, f"{here}/{what}")
        assert answer.status_code == 200, answer.text
        token = {"Consistency-Token": answer.headers["Consistency-Token"]}
        shown = await patiently(partial(anna.get, "/v1/notices", headers=token), token)
        assert [each["status"] for each in shown.json()["items"]] == [status]
    assert [each["status"] for each in await company.inbox("mona")] == ["unread"]


async def test_an_inbox_is_narrowed_and_counted(company: Company) -> None:
    await company.happens(*(company.overdue() for _ in range(3)))
    first, *_ = await company.inbox("anna")
    answer = await post(company.client("anna"), f"/v1/notices/{first['id']}/acknowledge")
    headers = {"Consistency-Token": answer.headers["Consistency-Token"]}
    query = {"status": "unread", "totals": "true", "limit": "1"}
    anna = company.client("anna")
    found = (await patiently(lambda: anna.get("/v1/notices", params=query, headers=headers), headers)).json()
    assert (len(found["items"]), found["has_more"], found["totals"]["count"]) == (1, True, 2)
    further = await company.inbox("anna", status="unread", limit=1, cursor=found["next"])
    assert {found["items"][0]["id"], further[0]["id"], first["id"]} == {
        each["id"] for each in await company.inbox("anna")
    }
    assert await company.inbox("anna", kind="approval-waiting") == []


async def test_what_is_paid_is_settled_and_what_is_paid_in_part_is_not(company: Company) -> None:
    overdue = company.overdue()
    await company.happens(overdue)
    for sequence, (left, status) in enumerate((("40", "unread"), ("0.00", "settled")), 2):
        paid = ReceiptAllocated(
            ledger_id=overdue.data.ledger_id,
            account_id=overdue.data.account_id,
            receipt_id=uuid4(),
            invoice_id=overdue.data.invoice_id,
            invoice_number=overdue.data.invoice_number,
            amount=eur(60),
            open_after=eur(Decimal(left)),
            rule="reference",
            on=NOON.date(),
        )
        await company.happens(company.of(paid, overdue.data.ledger_id, sequence))
        for name in ("anna", "mona", "fred"):
            assert [each["status"] for each in await company.inbox(name)] == [status], name


def asked_help(company: "Company", **more: Any) -> Envelope[DealHelpAsked]:
    deal = uuid4()
    event = DealHelpAsked(
        deal_id=deal,
        help_id=uuid4(),
        kind="access",
        urgency="today",
        asked_by=company.ids["anna"],
        on=NOON.date(),
        name="Servers",
        account_id=company.ids["acme"],
        owner=company.ids["anna"],
        team=company.ids["north"],
    )
    return company.of(replace(event, **more), deal)


async def test_deal_6_whoever_leads_the_one_who_asks_for_help_is_told_until_it_is_answered(company: Company) -> None:
    asked = asked_help(company)
    await company.happens(asked)
    assert await company.told() == {"mona"}
    (told,) = await company.inbox("mona")
    assert (told["kind"], told["about"], told["about_id"]) == ("help-asked", "deal", str(asked.data.deal_id))
    assert (told["reference"], told["status"]) == ("Servers", "unread")
    guided = DealGuidanceGiven(deal_id=asked.data.deal_id, help_id=asked.data.help_id, on=NOON.date())
    await company.happens(company.of(guided, asked.data.deal_id, 2))
    assert [each["status"] for each in await company.inbox("mona")] == ["settled"]


async def test_data_4_what_was_told_of_a_deal_has_its_name_of_now_whether_it_waits_or_is_settled(
    company: Company,
) -> None:
    """A help request, a next step, and an approval that waits for Ben and is granted then."""
    asked, step, approval = asked_help(company), uuid4(), uuid4()
    deal, ids, told = asked.data.deal_id, company.ids, approval_events("deals")
    due = DealNextStepReminded(
        deal_id=deal, step_id=step, on=NOON.date(), levels=("owner",), name="Servers", owner=ids["anna"]
    )
    of: dict[str, Any] = {
        "approval_id": approval,
        "subject_kind": "deal",
        "subject_id": deal,
        "name": "Servers: Review",
    }
    of |= {"amount": None, "submitter": company.subject("anna"), "part": "exit of review"}
    asks = (Slot(member=ids["ben"]),)
    requested = told.requested(
        **of,
        chain=0,
        self_approval="others",
        repeated_approver="again",
        submitter_member=ids["anna"],
        steps=(PlannedStep(key="one", name="One", mode="all", slots=asks),),
        next_step=0,
        due=None,
        asks=asks,
        at=NOON,
    )
    by_ben = {"by": company.subject("ben"), "member": ids["ben"], "at": NOON}
    granted = told.granted(**of, **by_ben, step="one", reason=None)
    await company.happens(asked, company.of(due, deal, 2), company.of(requested, approval))
    await company.happens(company.of(granted, approval, 2))

    async def references() -> dict[str, list[str]]:
        return {
            name: sorted(each["reference"] for each in await company.inbox(name)) for name in ("anna", "ben", "mona")
        }

    assert await references() == {
        "anna": ["Servers", "Servers: Review"],
        "ben": ["Servers: Review"],
        "mona": ["Servers"],
    }
    assert [each["status"] for each in await company.inbox("ben")] == ["settled"]
    assert told.renamed is not None
    renamed = told.renamed(**of | {"name": "Line for …: Review"}, by="service:deals", member=None, at=NOON)
    await company.happens(
        company.of(DealRenamed(deal_id=deal, name="Line for …", reminded_steps=(step,)), deal, 3),
        company.of(renamed, approval, 3),
    )
    assert await references() == {
        "anna": ["Line for …", "Line for …: Review"],
        "ben": ["Line for …: Review"],
        "mona": ["Line for …"],
    }
    (shown,) = await company.inbox("ben")
    assert shown["status"] == "settled"
    one = await company.client("ben").get(f"/v1/notices/{shown['id']}")
    assert one.json()["reference"] == "Line for …: Review"
    running = company.served.running
    head, newest = await running.journal.head(), "select distinct name from {view}.entry where aggregate = 'approval'"

    async def folded() -> bool:
        async with running.projections.reading({"feed"}) as reading:
            return reading.position >= head

    await until(folded, 60)
    async with running.projections.reading({"feed"}) as reading:
        assert [row["name"] for row in await reading("feed").fetch(newest)] == ["Line for …: Review"]


def submitted_quote(company: "Company", quote: UUID, sequence: int, **more: Any) -> Envelope[QuoteSubmitted]:
    event = QuoteSubmitted(
        quote_id=quote,
        deal_id=uuid4(),
        quote_version=1,
        approval_id=uuid4(),
        steps=(),
        needs_assessment=True,
        custom_line=True,
        unlisted_price=False,
        large=False,
        list_prices=(),
        discount_percent=Decimal(0),
        amount=eur(500),
        policy_version=0,
        submitter=company.subject("rosa"),
        on=NOON.date(),
        deal_name="Servers",
        authors=(company.ids["quinn"],),
    )
    return company.of(replace(event, **more), quote, sequence)


async def test_deal_8_product_is_told_what_it_is_to_assess_but_not_who_wrote_or_submitted_it(company: Company) -> None:
    """Once for each submission, by the name that the deal has, until it is assessed or a draft again."""
    quote = uuid4()
    first = submitted_quote(company, quote, 1)
    await company.happens(first, submitted_quote(company, uuid4(), 1, needs_assessment=False))
    assert await company.told() == {"petra"}
    (told,) = await company.inbox("petra")
    assert (told["kind"], told["about"], told["about_id"]) == ("assessment-waiting", "quote", str(quote))
    assert (told["reference"], told["status"], told["amount"]["amount"]) == ("Servers", "unread", "500")
    back = QuoteReturned(quote_id=quote, quote_version=1, over="price", by="x", reason="Too cheap", on=NOON.date())
    await company.happens(company.of(back, quote, 2), submitted_quote(company, quote, 3, quote_version=1))
    renamed = QuoteDealChanged(quote_id=quote, deal_name="Line for …", owner=None, team=None)
    await company.happens(company.of(renamed, quote, 4))
    waits = [(each["status"], each["reference"]) for each in await company.inbox("petra")]
    assert sorted(waits) == [("settled", "Line for …"), ("unread", "Line for …")]
    said = QuoteDeliveryAssessed(
        quote_id=quote, quote_version=1, difficulty=2, duration_days=5, assessed_by=None, on=NOON.date()
    )
    await company.happens(company.of(said, quote, 5))
    assert [each["status"] for each in await company.inbox("petra")] == ["settled", "settled"]


async def test_con_2_who_wrote_what_waits_for_their_role_is_not_told(company: Company) -> None:
    """Neither as the first step begins nor as a later one does."""
    ids, told = company.ids, approval_events("deals")
    for sequence, at_once in enumerate((True, False)):
        approval, asks = uuid4(), (Slot(role=Role.PRODUCT),)
        of: dict[str, Any] = {"approval_id": approval, "subject_kind": "quote", "subject_id": uuid4()}
        of |= {"name": "Servers: quote", "amount": None, "submitter": company.subject("rosa"), "part": "version 1"}
        asked: dict[str, Any] = {"due": None, "asks": asks, "authors": (ids["quinn"],), "at": NOON}
        if at_once:
            step = PlannedStep(key="one", name="One", mode="all", slots=asks)
            rules: dict[str, Any] = {"chain": 0, "self_approval": "others", "repeated_approver": "again"}
            event = told.requested(**of, **rules, submitter_member=ids["rosa"], steps=(step,), next_step=0, **asked)
        else:
            by_ben = {"by": company.subject("ben"), "member": ids["ben"]}
            event = told.given(**of, **by_ben, step=0, slots=(0,), further=(), reason=None, next_step=1, **asked)
        await company.happens(company.of(event, approval))
        assert await company.told() == {"petra"}
        assert len(await company.inbox("petra")) == sequence + 1


async def test_deal_6_where_no_member_asks_whoever_leads_the_team_is_told(company: Company) -> None:
    asked = asked_help(company, asked_by=None)
    await company.happens(asked)
    assert await company.told() == {"mona"}
    gone = DealHelpConcluded(deal_id=asked.data.deal_id, help_id=asked.data.help_id, outcome="not-needed")
    await company.happens(company.of(gone, asked.data.deal_id, 2))
    assert [each["status"] for each in await company.inbox("mona")] == ["settled"]


async def test_deal_12_of_late_help_both_managers_are_told_and_whom_it_waits_for(company: Company) -> None:
    late = company.late_help()
    await company.happens(late)
    assert await company.told() == {"anna", "mona", "paul"}, "nobody of presales has accepted"
    (told,) = await company.inbox("paul")
    assert told == {
        **told,
        "kind": "support-request-overdue",
        "status": "unread",
        "about": "support-request",
        "about_id": str(late.data.support_request_id),
        "account_name": "Acme",
        "amount": None,
        "due": "2026-03-09",
        "reference": "Design of the solution",
    }


async def test_deal_12_whoever_has_accepted_late_help_is_told_and_who_leads_them(company: Company) -> None:
    await company.happens(company.late_help(responsible=company.ids["pia"], name=None))
    assert await company.told() == {"anna", "mona", "pia", "paul"}
    (told,) = await company.inbox("pia")
    assert told["reference"] == "presales"


async def test_deal_12_a_department_that_nobody_leads_is_told_itself(company: Company) -> None:
    await company.happens(company.late_help(Role.DELIVERY))
    assert await company.told() == {"anna", "mona", "dan"}


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        (("owner",), {"anna"}),
        (("manager",), {"mona"}),
        (("owner", "manager", "delivery"), {"anna", "mona", "dan"}),
    ],
)
async def test_proc_1_a_rule_of_a_stage_tells_whom_it_names(
    company: Company, notify: tuple[str, ...], told: set[str]
) -> None:
    deal = uuid4()
    fired = DealRuleFired(
        deal_id=deal,
        stage="needs-diagnosis",
        rule="untouched",
        firing_id=uuid4(),
        name="Nobody touched it",
        trigger="timer",
        notify=notify,
        template=Template(key="guide", name="Guide", link="https://files.example/guide"),
        owner=company.ids["anna"],
        team=company.ids["north"],
        account_id=company.ids["acme"],
    )
    await company.happens(company.of(fired, deal))
    assert await company.told() == told
    (notice,) = await company.inbox(min(told))
    assert (notice["kind"], notice["about"], notice["about_id"]) == ("stage-rule", "deal", str(deal))
    assert notice["reference"] == "Nobody touched it, Guide, https://files.example/guide"
    await company.happens(company.of(fired, deal))
    assert len(await company.inbox(min(told))) == 1, "that the fact is told anew is no news"
    await company.happens(company.of(replace(fired, firing_id=uuid4()), deal))
    assert len(await company.inbox(min(told))) == 2, "that it fires in a later visit of the stage is news again"


@pytest.mark.parametrize(
    ("subject", "cause", "ends", "status"),
    [
        ("lead", "next-stage", True, "settled"),
        ("contract", "deal-lost", True, "settled"),
        ("contract", "done", True, "settled"),
        ("contract", "done", False, "unread"),
    ],
)
async def test_proc_1_a_rule_of_a_stage_of_leads_or_contracts_tells_whom_it_names_until_that_is_left(
    company: Company, subject: str, cause: str, ends: bool, status: str
) -> None:
    """What is told as the last thing of a stage is there to be read."""
    visit, subject_id = uuid4(), uuid4()
    fired = StageVisitRuleFired(
        stage_visit_id=visit,
        subject=subject,
        subject_id=subject_id,
        stage="delivery",
        rule="no-start",
        firing_id=uuid4(),
        name="No start meeting was held",
        trigger="timer",
        on=NOON.date(),
        notify=("owner", "manager", "delivery"),
        template=Template(key="guide", name="Guide"),
        owner=company.ids["anna"],
        team=company.ids["north"],
        account_id=company.ids["acme"],
    )
    await company.happens(company.of(fired, visit))
    assert await company.told() == {"anna", "mona", "dan"}
    (notice,) = await company.inbox("anna")
    assert (notice["kind"], notice["about"], notice["about_id"]) == ("stage-rule", subject, str(subject_id))
    assert (notice["reference"], notice["status"]) == ("No start meeting was held, Guide", "unread")
    ended = StageVisitEnded(stage_visit_id=visit, stage="delivery", cause=cause, on=NOON.date(), ends_notices=ends)
    await company.happens(company.of(ended, visit, 2))
    assert [each["status"] for each in await company.inbox("anna")] == [status]


async def test_lead_4_a_rule_of_a_lead_in_the_pool_tells_whoever_leads_its_team(company: Company) -> None:
    visit = uuid4()
    fired = StageVisitRuleFired(
        stage_visit_id=visit,
        subject="lead",
        subject_id=uuid4(),
        stage="lead-in",
        rule="unanswered",
        firing_id=uuid4(),
        name="Nobody answered",
        trigger="timer",
        on=NOON.date(),
        notify=("owner", "manager"),
        team=company.ids["north"],
    )
    await company.happens(company.of(fired, visit))
    assert await company.told() == {"mona"}


GONE_ON: dict[str, Any] = {
    "moved": replace(moved("needs"), ends_notices=True),
    "migrated": replace(MIGRATED, ends_notices=True),
    "won": replace(won(NOON.date()), ends_notices=True),
    "lost": replace(lost(NOON.date()), ends_notices=True),
    "abandoned": DealAbandoned(
        deal_id=DEAL, on=NOON.date(), amount=eur(1), stage="contact", reason="no-decision", ends_notices=True
    ),
}


@pytest.mark.parametrize("how", GONE_ON)
async def test_proc_1_what_a_rule_of_a_stage_told_is_settled_once_the_deal_goes_on(company: Company, how: str) -> None:
    """DEAL-6: and with the deal's end the help that is asked for with it. What another deal waits for stays."""
    asked, other = asked_help(company), asked_help(company)
    deal, gone = asked.data.deal_id, replace(GONE_ON[how], deal_id=asked.data.deal_id)
    fired = DealRuleFired(
        deal_id=deal,
        stage="contact",
        rule="untouched",
        firing_id=uuid4(),
        name="Nobody touched it",
        trigger="timer",
        notify=("manager",),
        owner=company.ids["anna"],
    )
    for event in (asked, other, company.of(fired, deal, 2), company.of(gone, deal, 3)):
        await company.happens(event)
    statuses = {(each["kind"], each["about_id"]): each["status"] for each in await company.inbox("mona")}
    assert statuses == {
        ("stage-rule", str(deal)): "settled",
        ("help-asked", str(deal)): "unread" if how in {"moved", "migrated"} else "settled",
        ("help-asked", str(other.data.deal_id)): "unread",
    }
    await company.happens(company.of(fired, deal, 4))
    assert len(await company.inbox("mona")) == 3, "that the fact is told anew is no news"
    await company.happens(company.of(replace(fired, firing_id=uuid4()), deal, 5))
    unread = [each["kind"] for each in await company.inbox("mona") if each["status"] == "unread"]
    assert unread.count("stage-rule") == 1, "a later visit is"


@pytest.mark.parametrize("how", ["delivered", "returned", "withdrawn"])
async def test_deal_12_help_that_waits_for_the_department_no_more_is_settled(company: Company, how: str) -> None:
    late, on = company.late_help(), NOON.date()
    request, due = late.data.support_request_id, late.data.due
    answer = {
        "delivered": SupportDelivered(
            support_request_id=request,
            deal_id=late.data.deal_id,
            department="presales",
            responsible=None,
            due=due,
            on=on,
            days_late=1,
        ),
        "returned": SupportRequestReturned(support_request_id=request, on=on, days_late=1),
        "withdrawn": SupportRequestWithdrawn(support_request_id=request, cause="asker", on=on, days_late=1),
    }[how]
    await company.happens(late)
    await company.happens(company.of(answer, request, 2))
    for name in ("anna", "mona", "paul"):
        assert [each["status"] for each in await company.inbox(name)] == ["settled"], name


async def test_con_2_whoever_is_asked_is_told_until_it_is_decided(company: Company) -> None:
    told, approval = approval_events("contracts"), uuid4()
    of = {
        "approval_id": approval,
        "subject_kind": "contract",
        "subject_id": uuid4(),
        "name": "Packaging line",
        "amount": eur(500),
        "submitter": company.subject("dora"),
        "account_id": company.ids["acme"],
    }
    asks = (Slot(role=Role.SALES_DIRECTOR), Slot(role=Role.LEGAL), Slot(member=company.ids["ben"]))
    steps = (PlannedStep(key="one", name="One", mode="all", slots=asks),)
    rules = {"chain": 0, "self_approval": "others", "repeated_approver": "again", "submitter_member": None}
    due = datetime(2026, 3, 12, 17, 0, tzinfo=UTC)
    requested = told.requested(**of, **rules, steps=steps, next_step=0, due=due, asks=asks, at=NOON)
    await company.happens(company.of(requested, approval))
    assert await company.told() == {"lara", "ben"}, "dora submitted it herself"
    (notice,) = await company.inbox("ben")
    assert (notice["reference"], notice["due"], notice["about_id"]) == (
        "Packaging line",
        "2026-03-12",
        str(of["subject_id"]),
    )
    granted = told.granted(**of, step="one", reason=None, by=company.subject("lara"), member=None, at=NOON)
    await company.happens(company.of(granted, approval, 2))
    assert [each["status"] for each in await company.inbox("lara")] == ["settled"]
    (outcome,) = await company.inbox("dora")
    assert outcome == {
        **outcome,
        "kind": "approval-granted",
        "status": "unread",
        "about": "contract",
        "about_id": str(of["subject_id"]),
        "approval_id": str(approval),
        "reference": "Packaging line",
        "due": None,
        "muted": False,
    }
    (notice,) = await company.inbox("ben")
    assert notice["approval_id"] == str(approval)
    shown = await company.client("dora").get(f"/v1/notices/{outcome['id']}")
    assert shown.json()["about"] == {
        "thing": "contract",
        "id": str(of["subject_id"]),
        "approval_id": str(approval),
    }


async def test_con_2_a_decision_that_is_taken_back_waits_for_who_delegated_it_again(company: Company) -> None:
    told, approval, ids = approval_events("contracts"), uuid4(), company.ids
    of = {"approval_id": approval, "subject_kind": "contract", "subject_id": uuid4(), "name": "Packaging line"}
    of |= {"amount": eur(500), "submitter": company.subject("dora"), "account_id": ids["acme"]}
    by_lara = {"by": company.subject("lara"), "member": ids["lara"], "at": NOON, "step": 0, "slots": (0,), "due": None}
    rules = {"chain": 0, "self_approval": "others", "repeated_approver": "again", "submitter_member": None}
    asks = (Slot(role=Role.LEGAL),)
    steps = (PlannedStep(key="one", name="One", mode="all", slots=asks),)
    to_ben = {"to": ids["ben"], "reason": None, "asks": (Slot(member=ids["ben"]),)}

    async def statuses() -> dict[str, list[str]]:
        return {name: sorted(each["status"] for each in await company.inbox(name)) for name in ("lara", "ben")}

    for number, event, expected in (
        (1, told.requested(**of, **rules, steps=steps, next_step=0, due=None, asks=asks, at=NOON), (["unread"], [])),
        (2, told.delegated(**of, **by_lara, **to_ben), (["settled"], ["unread"])),
        (3, told.taken_back(**of, **by_lara, delegates=(ids["ben"],)), (["settled", "unread"], ["settled"])),
    ):
        await company.happens(company.of(event, approval, number))
        assert tuple((await statuses()).values()) == expected


async def test_what_is_muted_stands_in_the_inbox_and_says_so(company: Company) -> None:
    anna = company.client("anna")
    before = company.overdue()
    await company.happens(before)
    muted = await post(anna, "/v1/notices/mute", kind="invoice-overdue", until="2999-12-31")
    assert muted.status_code == 200, muted.text
    (kind,) = await company.listed("anna", "/v1/muted-kinds", muted)
    assert (kind["kind"], kind["until"], kind["in_force"]) == ("invoice-overdue", "2999-12-31", True)
    assert kind["member"] == str(company.ids["anna"])
    assert await company.listed("mona", "/v1/muted-kinds", muted) == []
    await company.happens(company.overdue())
    told = {each["about_id"]: each["muted"] for each in await company.inbox("anna")}
    assert sorted(told.values()) == [False, True]
    assert told[str(before.data.invoice_id)] is False, "what was raised before stays as it is"
    assert [each["muted"] for each in await company.inbox("mona")] == [False, False]
    assert len(await company.inbox("anna", muted="true")) == 1

    assert (await anna.get(muted.headers["Location"])).json()["muted"] == [
        {"kind": "invoice-overdue", "until": "2999-12-31"}
    ]
    assert (await company.client("mona").get(muted.headers["Location"])).status_code == 404
    unmuted = await post(anna, "/v1/notices/unmute", kind="invoice-overdue")
    assert await company.listed("anna", "/v1/muted-kinds", unmuted) == []
    await company.happens(company.overdue())
    assert len(await company.inbox("anna", muted="true")) == 1


async def test_what_cannot_be_muted_is_refused_with_its_field(company: Company) -> None:
    anna = company.client("anna")
    told = problem(await post(anna, "/v1/notices/mute", kind="weather"), 422, "invalid-body")
    assert [each["pointer"] for each in told["errors"]] == ["/kind"]
    over = await post(anna, "/v1/notices/mute", kind="invoice-overdue", until="2020-01-01")
    assert [each["pointer"] for each in problem(over, 422, "in-the-past")["errors"]] == ["/until"]
    outsider = company.served.client(Role.ADMIN, "root")
    problem(await post(outsider, "/v1/notices/mute", kind="invoice-overdue"), 409, "not-a-member")


async def test_notices_are_no_news(company: Company) -> None:
    """API-3: the stream and the newest events tell of the invoice, and of nobody's notice."""
    director = company.client("dora")
    await company.happens(company.overdue())
    own = await company.served.running.log.read(0, 1000)
    told = [each for each in own.events if isinstance(each, Envelope)][-40:]
    assert "forecast.notice-raised" in {each.type for each in told}
    await journaled(company.served.running, [replace(each, partition=0) for each in told])
    types, cursor = set[str](), None
    while "receivables.invoice-overdue" not in types:
        page = await director.get("/v1/newest-events", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        types |= {each["type"] for each in page.json()["events"]}
        cursor = page.json()["next"]
        assert cursor or "receivables.invoice-overdue" in types
    assert not [each for each in types if each.startswith("forecast.")]
