"""REC-5: what waits for somebody is sent to them as e-mail, and outside as signed calls: rules, and on real servers."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from services.forecast.deliveries import deliveries
from services.forecast.domain.address import address_of
from services.forecast.domain.endpoint import (
    PauseWebhookEndpoint,
    RegisterWebhookEndpoint,
    RemoveWebhookEndpoint,
    ResumeWebhookEndpoint,
    RotateWebhookSecret,
    rotations_of,
    webhook_endpoint,
)
from services.forecast.domain.notice import NoticeKind
from services.forecast.outside import letter
from shared.deliveries import outbox
from shared.deliveries.delivery import delivery_of
from shared.domain.roles import Role
from shared.events.approvals import approval_events
from shared.events.envelope import Envelope
from shared.events.forecast.notice import NoticeRaised
from shared.events.forecast.webhook_endpoint import (
    WebhookEndpointPaused,
    WebhookEndpointRegistered,
    WebhookEndpointRemoved,
    WebhookEndpointResumed,
    WebhookSecretRotated,
)
from shared.languages.catalogue import Catalogue
from shared.languages.shipped import SHIPPED
from shared.ops.settings import Settings
from shared.service.build import build
from shared.testing.scenario import CONTEXT, scenario
from shared.testing.servers import DatabaseServer, personal_rows
from tests.described import as_described
from tests.services.forecast.facts import ANNA, day, eur, fact
from tests.services.forecast.test_inbox import Company, post
from tests.services.forecast.test_notices import RAISED
from tests.shared.deliveries.receivers import Call, HttpReceiver, MailReceiver, receiving, taking_mail
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until

# -- rules ------------------------------------------------------------------------------------------------------------

URL = "https://crm.example.com/hooks"
ENDPOINT = CONTEXT.aggregate_id
REGISTERED = WebhookEndpointRegistered(endpoint_id=ENDPOINT, url=URL, kind="invoice-overdue")
ROTATED = WebhookSecretRotated(endpoint_id=ENDPOINT, rotation=1, both_until=CONTEXT.now + timedelta(hours=24))
PAUSED, RESUMED = WebhookEndpointPaused(endpoint_id=ENDPOINT), WebhookEndpointResumed(endpoint_id=ENDPOINT)
REMOVED = WebhookEndpointRemoved(endpoint_id=ENDPOINT)
AN_ENDPOINT = scenario(webhook_endpoint).given(REGISTERED)


def test_an_endpoint_is_registered_paused_resumed_and_removed() -> None:
    register = RegisterWebhookEndpoint(url=URL, kind="invoice-overdue")
    scenario(webhook_endpoint).when(register).then(REGISTERED)
    AN_ENDPOINT.when(register).then()
    AN_ENDPOINT.when(PauseWebhookEndpoint()).then(PAUSED)
    AN_ENDPOINT.given(PAUSED).when(PauseWebhookEndpoint()).then()
    AN_ENDPOINT.given(PAUSED).when(ResumeWebhookEndpoint()).then(RESUMED)
    AN_ENDPOINT.when(ResumeWebhookEndpoint()).then()
    AN_ENDPOINT.given(PAUSED).when(RemoveWebhookEndpoint()).then(REMOVED)
    AN_ENDPOINT.given(REMOVED).when(RemoveWebhookEndpoint()).then()


def test_the_secret_before_signs_along_for_a_day() -> None:
    AN_ENDPOINT.when(RotateWebhookSecret()).then(ROTATED)
    now = CONTEXT.now
    first, second = webhook_endpoint.fold([REGISTERED]), webhook_endpoint.fold([REGISTERED, ROTATED])
    assert rotations_of(first, now) == (0,)
    assert rotations_of(second, now + timedelta(hours=23)) == (1, 0)
    assert rotations_of(second, now + timedelta(hours=24)) == (1,)


NO_ADDRESSES = (
    *(
        "ftp://x.example",
        "crm.example.com",
        "https://",
        "https://u:p@x.example",
        "https://x.example/#a",
        "https://x:0/",
    ),
    *("https://[x", "https://x.example/a b", "https://x.example/\n", "https://exämple.com", "https://x:99999/"),
)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused_with_its_field(url: str) -> None:
    scenario(webhook_endpoint).when(RegisterWebhookEndpoint(url=url)).then_rejected("no-address")


def noted(event: NoticeRaised) -> Envelope[NoticeRaised]:
    return fact(1, event, day("2026-03-10"))


def test_a_notice_goes_to_its_recipient_unless_muted_and_to_whoever_asked() -> None:
    both = deliveries.of(noted(RAISED))
    assert [(each.channel, each.kind, each.to) for each in both] == [
        ("mail", "invoice-overdue", ANNA),
        ("webhook", "invoice-overdue", None),
    ]
    assert [each.channel for each in deliveries.of(noted(replace(RAISED, muted=True)))] == ["webhook"]
    assert deliveries.of(replace(noted(RAISED), imported=True)) == ()
    content = json.loads(delivery_of(both[1], noted(RAISED), uuid4()).content)
    assert content["data"]["amount"] == {"amount": "100", "currency": "EUR"}
    assert (content["data"]["reference"], content["data"]["due"]) == ("MAIN-000001", "2026-03-09")


KNOWN = {
    "invoice-overdue": {"amount", "due", "reference"},
    "support-request-overdue": {"due", "reference"},
    "stage-rule": {"reference"},
    "help-asked": {"reference"},
    "next-step-due": {"due", "reference"},
    "follow-up-due": {"due", "reference"},
    "review-missed": {"due", "reference"},
    "measure-overdue": {"due"},
}
"""What letters of a kind say; of others the amount, where nothing else is known."""


@pytest.mark.parametrize("words", SHIPPED.values(), ids=lambda each: each.language)
@pytest.mark.parametrize("kind", get_args(NoticeKind))
def test_a_letter_is_written_in_every_language(words: Catalogue, kind: str) -> None:
    kept = KNOWN.get(kind, {"amount"})
    unknown: dict[str, Any] = dict.fromkeys({"amount", "due", "reference"} - kept)
    event = replace(RAISED, kind=kind, **unknown)
    (asked, _) = deliveries.of(noted(event))
    made = letter(delivery_of(asked, noted(event), ANNA), "anna@example.com", words, "https://sales.example")
    assert made.language == words.language
    assert ("100" in made.text) == ("amount" in kept)
    assert RAISED.due is not None
    assert (words.day(RAISED.due) in made.text) == ("due" in kept)
    assert "https://sales.example" in made.text
    assert "{" not in made.subject + made.text
    assert ("MAIN-000001" in made.subject) == ("reference" in kept)


# -- on real servers --------------------------------------------------------------------------------------------------


CODE = re.compile(r"^([0-9A-Z]{5}-[0-9A-Z]{5})\s*$", re.MULTILINE)


class Outside:
    """A company with a mail server and a receiver of calls."""

    def __init__(self, company: Company, mail: MailReceiver, hooks: HttpReceiver) -> None:
        self.company, self.mail, self.hooks = company, mail, hooks
        self.operations = company.served.client(Role.SALES_OPERATIONS, "ops")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hooks.port}/hooks"

    async def register(self, **body: Any) -> UUID:
        answer = await post(self.operations, "/v1/webhook-endpoints", **{"url": self.url, **body})
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def secret(self, endpoint: UUID) -> dict[str, Any]:
        answer = await self.operations.get(f"/v1/webhook-endpoints/{endpoint}/secret")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def stated(self, name: str, email: str, **more: Any) -> str:
        """Have notices sent to somebody; the code that arrives there."""
        before = len(self.mail.messages)
        answer = await post(self.company.client(name), "/v1/notices/send", email=email, **more)
        assert answer.status_code == 200, answer.text

        async def arrived() -> bool:
            return len(self.mail.messages) > before

        await until(arrived, 30)
        (found,) = CODE.findall(self.mail.messages[-1].get_content())
        return str(found)

    async def confirmed(self, name: str, email: str, **more: Any) -> None:
        """Have notices sent to somebody who has confirmed it, and forget the letter."""
        answer = await self.confirm(name, await self.stated(name, email, **more))
        assert answer.status_code == 200, answer.text
        self.mail.messages.clear()
        self.mail.recipients.clear()

    async def confirm(self, name: str, code: str) -> httpx.Response:
        return await post(self.company.client(name), "/v1/notices/confirm", code=code)

    async def address(self, name: str) -> dict[str, Any]:
        """What somebody is told of their own address."""
        answer = await self.company.client(name).get("/v1/notices/address")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = as_described("/v1/notices/address", answer.json())
        return found

    async def settled(self) -> None:
        """Wait until all that happened is queued, and nothing waits any more."""
        running = self.company.served.running

        async def done() -> bool:
            at = await running.pool.fetchval("select position from mark where name = 'deliveries'")
            waiting = await outbox.listed(running.pool, "waiting")
            return at >= await running.log.head() and not [each for each in waiting if each.error is None]

        await until(done, 30)


@pytest.fixture
async def outside(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Outside]:
    url = await postgres.create_database("outside", await postgres.migrated())
    async with AsyncExitStack() as opened:
        mail = await opened.enter_async_context(taking_mail(MailReceiver()))
        hooks = await opened.enter_async_context(receiving(HttpReceiver()))
        settings = replace(
            Settings(service="forecast", database_url=url, claim_secret="c" * 32),
            oidc_issuer=issuer.address,
            oidc_jwks_url=f"{issuer.address}/jwks",
            kafka_bootstrap="127.0.0.1:9",
            origin="http://errands.test",
            development=True,
            rate_limit="",
            smtp_url=f"smtp+plain://127.0.0.1:{mail.port}",
            smtp_from="notices@throughline.example",
            webhook_networks="127.0.0.0/8",
        )
        app = build(SERVICE, settings)
        await opened.enter_async_context(app.router.lifespan_context(app))
        company = Company(Errands(app=app, issuer=issuer, settings=settings))
        await company.begin()
        yield Outside(company, mail, hooks)
    await postgres.drop_database(url)


def verified(call: Call, secret: str) -> dict[str, Any]:
    found: dict[str, Any] = Webhook(secret).verify(call.body, call.headers)
    return found


async def test_a_notice_arrives_as_mail_and_as_a_signed_call(outside: Outside) -> None:
    company = outside.company
    await outside.confirmed("anna", "Anna@exämple.com", language="de")
    everything, of_overdue = await outside.register(), await outside.register(kind="invoice-overdue")
    of_contracts = await outside.register(kind="approval-waiting")
    overdue = company.overdue()
    await company.happens(overdue)
    await outside.settled()

    (arrived,) = outside.mail.messages
    assert outside.mail.recipients == ["Anna@xn--exmple-cua.com"], "who stated no address gets nothing"
    assert arrived["Subject"] == "Überfällig: Rechnung MAIN-000001"
    assert "9. März 2026" in arrived.get_content()
    assert len(outside.hooks.calls) == 2 * 3, "two endpoints, three notices"
    secrets = [(await outside.secret(each))["secret"] for each in (everything, of_overdue)]
    for call in outside.hooks.calls:
        told = [verified(call, secret) for secret in secrets if is_signed(call, secret)]
        assert len(told) == 1, "each endpoint has a secret of its own"
        assert told[0]["type"] == "invoice-overdue"
        assert told[0]["data"]["about"]["id"] == str(overdue.data.invoice_id)
    assert len({call.headers["webhook-id"] for call in outside.hooks.calls}) == 6
    assert await outbox.listed(company.served.running.pool, "delivered", of_contracts) == []
    rows = await company.served.running.pool.fetch("select * from delivery")
    assert "exämple" not in str(rows)
    assert "xn--" not in str(rows)


def is_signed(call: Call, secret: str) -> bool:
    try:
        verified(call, secret)
    except WebhookVerificationError:
        return False
    return True


async def test_who_submitted_it_is_told_the_outcome_by_mail_unless_they_muted_that(outside: Outside) -> None:
    """CON-2, REC-5."""
    company = outside.company
    dora = company.client("dora")
    await outside.confirmed("dora", "dora@example.com", language="en")
    await post(dora, "/v1/notices/mute", kind="approval-granted")
    await outside.register(kind="approval-returned")
    told, contract = approval_events("contracts"), uuid4()
    ended: list[tuple[UUID, Any]] = []
    for event, reason in ((told.granted, None), (told.returned, "The retention is missing")):
        approval = uuid4()
        of = {"approval_id": approval, "subject_kind": "contract", "subject_id": contract, "name": "Packaging line"}
        by = {"by": company.subject("lara"), "member": company.ids["lara"], "at": day("2026-03-10")}
        submitter = company.subject("dora")
        ended.append((approval, event(**of, **by, amount=eur(500), submitter=submitter, step="one", reason=reason)))
    await company.happens(*(company.of(event, approval) for approval, event in ended))
    await outside.settled()
    (arrived,) = outside.mail.messages
    assert arrived["Subject"] == "Sent back for rework: Packaging line"
    assert "The retention is missing" not in arrived.get_content(), "no free text goes outside"
    (call,) = outside.hooks.calls
    sent = json.loads(call.body)
    assert sent["type"] == "approval-returned"
    assert sent["data"]["about"] == {"thing": "contract", "id": str(contract), "approval_id": str(ended[1][0])}
    assert {each["kind"]: each["muted"] for each in await company.inbox("dora")} == {
        "approval-granted": True,
        "approval-returned": False,
    }


async def test_a_secret_is_exchanged_without_a_gap(outside: Outside) -> None:
    endpoint = await outside.register()
    old = await outside.secret(endpoint)
    assert old["before"] is None
    rotated = await post(outside.operations, f"/v1/webhook-endpoints/{endpoint}/rotate-secret")
    assert rotated.status_code == 200, rotated.text
    new = await outside.secret(endpoint)
    assert new["before"] == old["secret"] != new["secret"]
    await outside.company.happens(outside.company.overdue(owner=None, team=None))
    await outside.settled()
    (call,) = outside.hooks.calls
    assert is_signed(call, old["secret"])
    assert is_signed(call, new["secret"])
    stored = await outside.company.served.running.pool.fetch("select data from event")
    assert old["secret"] not in str(stored), "no secret is in any event"


async def test_a_paused_endpoint_gets_what_waited_once_it_is_resumed(outside: Outside) -> None:
    pool = outside.company.served.running.pool
    endpoint = await outside.register()
    here = f"/v1/webhook-endpoints/{endpoint}"
    await post(outside.operations, f"{here}/pause")
    await outside.company.happens(outside.company.overdue(owner=None, team=None))
    await outside.settled()
    assert [each.error for each in await outbox.listed(pool, "waiting", endpoint)] == ["paused"]
    assert outside.hooks.calls == []
    await post(outside.operations, f"{here}/resume")
    await pool.execute("update delivery set next_attempt_at = '-infinity'")

    async def called() -> bool:
        return len(outside.hooks.calls) == 1

    await until(called, 30)


async def test_whoever_is_removed_or_erased_gets_nothing_more(outside: Outside) -> None:
    """DATA-4."""
    company, pool = outside.company, outside.company.served.running.pool
    await outside.confirmed("anna", "anna@example.com")
    outside.hooks.answer = lambda call: Response(status_code=503)
    outside.mail.rcpt = lambda address: "450 later"
    endpoint = await outside.register()
    anna = company.client("anna")
    await company.happens(company.overdue())

    async def failed() -> bool:
        errors = {each.error for each in await outbox.listed(pool, "waiting")}
        return errors == {"http-503", "smtp-450", None}  # the others of the endpoint wait behind the first

    async def rests() -> bool:
        """No attempt comes before whoever is told has gone: the next one may be due at once."""
        soon = await pool.fetchval(
            "select count(*) from delivery where next_attempt_at < clock_timestamp() + interval '30 minutes'"
        )
        await pool.execute("update delivery set next_attempt_at = clock_timestamp() + interval '1 hour'")
        return bool(soon == 0)

    await until(failed, 30)
    await until(rests, 30)
    outside.hooks.answer, outside.mail.rcpt = lambda call: Response(status_code=204), lambda address: "250 OK"
    outside.hooks.calls.clear()
    stopped = await post(anna, "/v1/notices/stop-sending")
    assert stopped.status_code == 200, stopped.text
    shown = (await anna.get(f"/v1/notice-addresses/{address_of(company.ids['anna'])}")).json()
    assert shown["status"] == "removed"
    stated = await pool.fetchval(
        "select data ->> 'mailbox_id' from event where type = 'forecast.notice-address-stated'"
    )
    assert await personal_rows(pool, UUID(stated)) == 0
    await post(outside.operations, f"/v1/webhook-endpoints/{endpoint}/remove")
    await pool.execute("update delivery set next_attempt_at = '-infinity' where state = 'waiting'")

    async def dead() -> bool:
        return {each.error for each in await outbox.listed(pool, "dead")} == {"no-address", "endpoint-removed"}

    await until(dead, 30)
    assert outside.mail.messages == []
    assert outside.hooks.calls == []


async def test_operations_alone_register_endpoints_and_see_their_secrets(outside: Outside) -> None:
    endpoint = await outside.register()
    anna = outside.company.client("anna")
    problem(await post(anna, "/v1/webhook-endpoints", url=outside.url), 403, "not-allowed")
    problem(await anna.get(f"/v1/webhook-endpoints/{endpoint}/secret"), 403, "role-missing")
    problem(await outside.operations.get(f"/v1/webhook-endpoints/{uuid4()}/secret"), 404, "not-found")
    refused = problem(
        await post(anna, "/v1/notices/send", email="a@example.com", language="tlh"), 422, "unknown-language"
    )
    assert [each["pointer"] for each in refused["errors"]] == ["/language"]


# -- addresses that wait to be confirmed ------------------------------------------------------------------------------


async def test_nothing_but_the_code_is_sent_until_the_address_is_confirmed(outside: Outside) -> None:
    """REC-5."""
    company, ids = outside.company, outside.company.ids
    own = str(address_of(ids["anna"]))
    nothing = {"id": own, "status": "unstated", "email": None, "language": None, "asked_again_from": None}
    assert await outside.address("anna") == nothing
    assert (await outside.operations.get("/v1/notices/address")).json() == {**nothing, "id": None}, "no member"
    problem(await outside.confirm("anna", "7K3QD-9XW2M"), 404, "not-found")

    code = await outside.stated("anna", "anna@example.com", language="de")
    waiting = await outside.address("anna")
    assert (waiting["id"], waiting["status"], waiting["email"]) == (own, "unconfirmed", "anna@example.com")
    assert waiting["asked_again_from"] is not None
    (letter,) = outside.mail.messages
    assert (letter["Subject"], outside.mail.recipients) == ("Bestätigen Sie Ihre Adresse", ["anna@example.com"])
    await company.happens(company.overdue())
    await outside.settled()
    assert len(outside.mail.messages) == 1, "of what is raised meanwhile nothing is sent"
    assert await outbox.listed(company.served.running.pool, "dead") == [], "nor waits to be"

    refused = problem(await outside.confirm("anna", "7K3QD-9XW2M"), 422, "wrong-code")
    assert [(each["pointer"], each["code"]) for each in refused["errors"]] == [("/code", "wrong-code")]
    tried = await company.client("anna").post("/v1/dry-runs/notices/confirm", json={"code": code.lower()})
    assert [each["type"] for each in tried.json()["events"]] == ["forecast.notice-address-confirmed"], tried.text
    assert (await outside.address("anna"))["status"] == "unconfirmed"
    assert (await outside.confirm("anna", code.lower().replace("-", ""))).status_code == 200
    assert (await outside.confirm("anna", code)).json()["version"] == 3, "confirmed once"
    shown = (await company.client("anna").get(f"/v1/notice-addresses/{own}")).json()
    assert (shown["status"], (await outside.address("anna"))["status"]) == ("confirmed", "confirmed")

    await company.happens(company.overdue())
    await outside.settled()
    subjects = [each["Subject"] for each in outside.mail.messages]
    assert subjects == ["Bestätigen Sie Ihre Adresse", "Überfällig: Rechnung MAIN-000001"], "not what waited, too"
    running = company.served.running
    kept = [await running.pool.fetch(f"select * from {table}") for table in ("event", "delivery")]
    assert code not in str(kept)
    assert code.replace("-", "") not in str(kept)


async def test_a_code_counts_for_the_address_that_it_was_sent_to(outside: Outside) -> None:
    """REC-5."""
    old = await outside.stated("anna", "typo@example.com")
    others = await outside.stated("ben", "ben@example.com")
    problem(await outside.confirm("anna", others), 422, "wrong-code")
    new = await outside.stated("anna", "anna@example.com")
    assert len({old, others, new}) == 3
    problem(await outside.confirm("anna", old), 422, "wrong-code")
    assert (await outside.confirm("anna", new)).status_code == 200
    await outside.company.happens(outside.company.overdue(team=None))
    await outside.settled()
    assert outside.mail.recipients == ["typo@example.com", "ben@example.com", "anna@example.com", "anna@example.com"]


async def test_a_letter_to_a_mistyped_address_is_in_nobodys_way(outside: Outside) -> None:
    """DATA-4: what could not be sent goes nowhere once another address took its place."""
    pool = outside.company.served.running.pool
    outside.mail.rcpt = lambda address: "450 later" if address.startswith("typo") else "250 OK"
    await post(outside.company.client("anna"), "/v1/notices/send", email="typo@example.com")

    async def failed() -> bool:
        return [each.error for each in await outbox.listed(pool, "waiting")] == ["smtp-450"]

    await until(failed, 30)
    await pool.execute("update delivery set next_attempt_at = clock_timestamp() + interval '1 hour'")
    code = await outside.stated("anna", "anna@example.com")
    assert (await outside.confirm("anna", code)).status_code == 200
    outside.mail.rcpt = lambda address: "250 OK"
    await pool.execute("update delivery set next_attempt_at = '-infinity' where state = 'waiting'")

    async def dead() -> bool:
        return [each.error for each in await outbox.listed(pool, "dead")] == ["no-address"]

    await until(dead, 30)
    assert outside.mail.recipients == ["anna@example.com"]


async def test_what_was_raised_before_is_not_sent_even_if_it_was_queued(outside: Outside) -> None:
    """REC-5: the follower may be behind: then it finds the address confirmed when it comes to an older notice."""
    company, pool = outside.company, outside.company.served.running.pool
    code = await outside.stated("anna", "anna@example.com")
    await company.happens(company.overdue(team=None))
    await outside.settled()
    assert (await outside.confirm("anna", code)).status_code == 200
    raised, behind = "'forecast.notice-raised'", "position - 1"
    at = await pool.fetchval(f"select min({behind}) from event where type = {raised}")
    assert await pool.execute("update mark set position = $1 where name = 'deliveries'", at) == "UPDATE 1"

    async def dead() -> bool:
        return [each.error for each in await outbox.listed(pool, "dead")] == ["no-address"]

    await until(dead, 30)
    assert len(outside.mail.messages) == 1
