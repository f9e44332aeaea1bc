"""REC-5: what waits for somebody is sent to them as e-mail, and outside as signed calls: rules, and on real servers."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from services.forecast.deliveries import deliveries
from services.forecast.domain.address import SendNotices, StopSendingNotices, address_of, notice_address
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
from shared.events.forecast.notice_address import NoticeAddressRemoved, NoticeAddressStated
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


def test_another_address_erases_the_one_before() -> None:
    """DATA-4."""
    member = replace(CONTEXT.actor, member=ANNA)
    stated = NoticeAddressStated(
        address_id=CONTEXT.aggregate_id, member_id=ANNA, mailbox_id=UUID(int=9), email="a@example.com", language=None
    )
    removed = NoticeAddressRemoved(address_id=stated.address_id, member_id=ANNA, mailbox_id=stated.mailbox_id)
    known = scenario(notice_address).given(stated).by(member)
    told = known.when(SendNotices(email="b@example.com"))
    assert [type(each.event) for each in told.facts] == [NoticeAddressRemoved, NoticeAddressStated]
    assert told.facts[0].event == removed
    assert told.facts[1].event.mailbox_id != stated.mailbox_id
    known.when(SendNotices(email="a@example.com")).then()
    known.when(StopSendingNotices()).then(removed)
    scenario(notice_address).by(member).when(StopSendingNotices()).then()
    scenario(notice_address).by(member).when(SendNotices(email="no address")).then_rejected("no-address")


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


@pytest.mark.parametrize("words", SHIPPED.values(), ids=lambda each: each.language)
@pytest.mark.parametrize("kind", get_args(NoticeKind))
def test_a_letter_is_written_in_every_language(words: Catalogue, kind: str) -> None:
    event = replace(RAISED, kind=kind)
    if kind != "invoice-overdue":
        event = replace(event, due=None, reference=None)
    (asked, _) = deliveries.of(noted(event))
    made = letter(delivery_of(asked, noted(event), ANNA), "anna@example.com", words, "https://sales.example")
    assert made.language == words.language
    assert "100" in made.text
    assert "https://sales.example" in made.text
    assert "{" not in made.subject + made.text
    assert ("MAIN-000001" in made.subject) == (kind == "invoice-overdue")


# -- on real servers --------------------------------------------------------------------------------------------------


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
    anna = company.client("anna")
    stated = await post(anna, "/v1/notices/send", email="Anna@exämple.com", language="de")
    assert stated.status_code == 200, stated.text
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
    await post(dora, "/v1/notices/send", email="dora@example.com", language="en")
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
    outside.hooks.answer = lambda call: Response(status_code=503)
    outside.mail.rcpt = lambda address: "450 later"
    endpoint = await outside.register()
    anna = company.client("anna")
    await post(anna, "/v1/notices/send", email="anna@example.com")
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
