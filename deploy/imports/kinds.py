"""Registry of the kinds of facts that the services take in, as their handlers declare them, and what no kind tells
(DATA-5)."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from deploy.services import definition_of
from shared.domain.imports import FactKind, Ids
from shared.domain.references import ids_of
from shared.events.references import Free
from shared.events.registry import SERVICES

KINDS: Mapping[str, FactKind] = {
    kind.name: kind
    for service in SERVICES
    for aggregate in definition_of(service).every_aggregate
    for kind in sorted(aggregate.kinds, key=lambda kind: kind.rank)
}
"""Every kind of fact that can be imported: by what it is about, and in the order in which those of one time happen."""

THINGS: Mapping[str, FactKind] = {kind.about: kind for kind in KINDS.values() if kind.brings}
"""What can come into being by an import, so that others may name it: by which kind of fact."""

OUTSIDE_ID = "outside_id"
"""The command's field that takes the outside id itself."""

_ERASED = "whoever is to be forgotten is erased here, in what was imported too"
_ITS_PROCESS = "a deal of history is told by the process that it follows in the end; what is open goes over here"
_BY_ITS_DAYS = "history knows a contract by the days of its steps, and as it was agreed in the end"
_STANCES = "how people stood to a deal of the past is not told; of an open one it is found out here"
_BUYERS = "where the buyer of a deal of the past stood is not told; of an open one it is noted here"
_KEPT_THERE = "notes and files of the past stay where they are kept"
_AS_IT_ENDED = "a deal comes in with the customer, source, industry and lines that it had in the end"
_NO_VISIT = "what is told of the past of a lead or a contract enters no stage: nothing is due there any more"
_NO_LINK = "an address for a calendar is made here, and no other program's is one of ours"
_KEPT = "what somebody looks at again and again is kept here, by queries of here"
_CONTENT = "what was used in the past is not in use; what is used now is added here"
_NO_NEWS = "nobody has to know any more of what is past"
_REVIEWED = "reviews are of periods that end here; what health was earlier is asked at a past instant"
_SAID = "it is said of a process that is in force here, by those who work with it"
_QUOTED = (
    "what was quoted in the past was accepted or not; what came of it is told of the deal, with its amount and lines"
)
_SUPPORTED = "help that was asked of a department in the past was given or not; what it led to is told of the deal"
_ALLOCATED = "money of history is allocated by the rules of here, once everything is told"
_QUALIFIED = "what was found out is told while it holds; of a deal of the past its outcome is known"
_REMINDED = "what was planned in the past is past; nobody is reminded of it"
_HELPED = "nobody helps any more with a deal of the past; what it led to is told of the deal"
_EXIT = "nobody decides any more about giving up a deal of the past; that it was abandoned is told"
_BY_LIST_PRICE = "history tells the list price that a product had from each day on"
_APPROVED = "a contract of history says when it was submitted and approved, and by whom; nobody is asked again"
_WANTED = "history tells what was wanted in money; counts and shares are set here"
UNTOLD: Mapping[str, str] = {
    "leads.turn-taken": "history says whose a lead was; a queue gives away those that come in here",
    "leads.lead-left-unassigned": "a lead without `owner` and `team` is in the public pool",
    "leads.lead-follow-up-reminded": _REMINDED,
    "leads.account-follow-up-reminded": _REMINDED,
    "leads.lead-erased": _ERASED,
    "leads.member-leave-shortened": "a leave comes in with the days that were taken in the end",
    "leads.contact-erased": _ERASED,
    "deals.deal-texts-erased": _ERASED,
    "deals.process-drafted": "processes are shaped here before deals follow them",
    "deals.process-draft-discarded": "processes are shaped here before deals follow them",
    "deals.process-pilot-started": "processes are shaped here before deals follow them",
    "deals.process-pilot-ended": "processes are shaped here before deals follow them",
    "deals.process-retired": "processes are shaped here before deals follow them",
    "deals.deal-migrated": _ITS_PROCESS,
    "deals.process-migration-planned": _ITS_PROCESS,
    "deals.process-migration-started": _ITS_PROCESS,
    "deals.process-migration-advanced": _ITS_PROCESS,
    "deals.process-migration-stopped": _ITS_PROCESS,
    "deals.process-migration-completed": _ITS_PROCESS,
    "deals.deal-activity-corrected": "history tells an activity as it was; a corrected line corrects it",
    **dict.fromkeys(
        (
            "deals.deal-gate-refused",
            "deals.deal-criterion-waived",
            "deals.deal-waiver-revoked",
            "deals.deal-flexible-node-added",
            "deals.deal-flexible-node-removed",
            "deals.deal-submitted-for-approval",
            "deals.deal-submission-approved",
            "deals.deal-submission-returned",
            "deals.deal-submission-recalled",
            "deals.approval-requested",
            "deals.approval-given",
            "deals.approval-delegated",
            "deals.approval-delegation-taken-back",
            "deals.approval-escalated",
            "deals.approval-granted",
            "deals.approval-returned",
            "deals.approval-recalled",
            "deals.approval-handed-over",
            "deals.approval-renamed",
        ),
        "history is told without gates",
    ),
    **dict.fromkeys(
        (
            "deals.deal-rule-fired",
            "deals.deal-rule-lapsed",
            "deals.deal-ready-to-move-on",
            "deals.deal-readiness-withdrawn",
        ),
        "nothing happens by itself in the past; what came of it is told",
    ),
    **dict.fromkeys(
        (
            "deals.stage-visit-begun",
            "deals.stage-visit-rule-fired",
            "deals.stage-visit-rule-lapsed",
            "deals.stage-visit-ended",
            "deals.stage-visit-deal-changed",
            "deals.stage-visit-handed-over",
            "deals.stage-work-completed",
        ),
        _NO_VISIT,
    ),
    "deals.deal-note-added": _KEPT_THERE,
    "deals.deal-file-attached": _KEPT_THERE,
    "deals.deal-file-detached": _KEPT_THERE,
    "deals.deal-contact-set": _STANCES,
    "deals.deal-contact-removed": _STANCES,
    "deals.deal-buyer-stage-noted": _BUYERS,
    "deals.deal-activity-withdrawn": "an activity that never was is left out",
    "deals.process-published": "processes are published here before deals follow them",
    "deals.deal-facts-noted": "gates are not judged in the past; a node that was completed is told with its evidence",
    "deals.deal-answer-withdrawn": _QUALIFIED,
    "deals.deal-budget-stated": _QUALIFIED,
    "deals.deal-competition-stated": _QUALIFIED,
    "deals.deal-customer-event-stated": _QUALIFIED,
    "deals.deal-inaction-assessed": _QUALIFIED,
    "deals.deal-pain-stated": _QUALIFIED,
    "deals.deal-requirement-stated": _QUALIFIED,
    "deals.deal-risk-assessed": _QUALIFIED,
    "deals.deal-exit-accepted": _EXIT,
    "deals.deal-exit-declined": _EXIT,
    "deals.deal-exit-proposed": _EXIT,
    "deals.deal-help-asked": _HELPED,
    "deals.deal-guidance-given": _HELPED,
    "deals.deal-help-concluded": _HELPED,
    "deals.deal-next-step-reminded": _REMINDED,
    "deals.deal-renamed": "a deal comes in with the name that it had in the end",
    "deals.deal-account-changed": _AS_IT_ENDED,
    "deals.deal-classified": _AS_IT_ENDED,
    "deals.deal-lines-changed": _AS_IT_ENDED,
    "deals.deal-quote-accepted": _QUOTED,
    "deals.deal-quote-set-aside": _QUOTED,
    "deals.deal-handed-over": "a deal comes in with one `owner` and `team`; who had it before is not told",
    "deals.product-cost-set": "what a product cost in the past decides nothing any more",
    "deals.product-price-set": _BY_LIST_PRICE,
    "deals.product-price-withdrawn": _BY_LIST_PRICE,
    "deals.calendar-link-made": _NO_LINK,
    "deals.calendar-link-revoked": _NO_LINK,
    "deals.view-saved": _KEPT,
    "deals.view-changed": _KEPT,
    "deals.view-shared": _KEPT,
    "deals.view-withdrawn": _KEPT,
    "deals.content-item-added": _CONTENT,
    "deals.content-item-changed": _CONTENT,
    "deals.content-item-retired": _CONTENT,
    "deals.content-item-reinstated": _CONTENT,
    "deals.process-remark-noted": _SAID,
    "deals.process-remark-text-erased": _ERASED,
    "deals.process-change-suggested": _SAID,
    "deals.process-suggestion-accepted": _SAID,
    "deals.process-suggestion-declined": _SAID,
    "deals.process-suggestion-adopted": _SAID,
    "deals.process-suggestion-texts-erased": _ERASED,
    "deals.quote-accepted": _QUOTED,
    "deals.quote-approved": _QUOTED,
    "deals.quote-changed": _QUOTED,
    "deals.quote-deal-changed": _QUOTED,
    "deals.quote-declined": _QUOTED,
    "deals.quote-delivery-assessed": _QUOTED,
    "deals.quote-drafted": _QUOTED,
    "deals.quote-expired": _QUOTED,
    "deals.quote-opened": _QUOTED,
    "deals.quote-price-approved": _QUOTED,
    "deals.quote-recalled": _QUOTED,
    "deals.quote-returned": _QUOTED,
    "deals.quote-revised": _QUOTED,
    "deals.quote-sent": _QUOTED,
    "deals.quote-set-aside": _QUOTED,
    "deals.quote-submitted": _QUOTED,
    "deals.quote-texts-erased": _ERASED,
    "deals.quote-withdrawn": _QUOTED,
    "deals.target-number-set": _WANTED,
    "deals.target-part-set": "it notes what is checked as a part is set; parts of history are told as targets",
    "deals.support-requested": _SUPPORTED,
    "deals.support-requested-again": _SUPPORTED,
    "deals.support-request-accepted": _SUPPORTED,
    "deals.support-delivered": _SUPPORTED,
    "deals.support-request-returned": _SUPPORTED,
    "deals.support-request-withdrawn": _SUPPORTED,
    "deals.support-request-overdue": _SUPPORTED,
    "deals.support-request-deal-changed": _SUPPORTED,
    "deals.support-request-texts-erased": _ERASED,
    "deals.stage-visit-texts-erased": _ERASED,
    "contracts.contract-terms-changed": _BY_ITS_DAYS,
    "contracts.contract-lines-taken": _BY_ITS_DAYS,
    "contracts.contract-returned": _BY_ITS_DAYS,
    "contracts.contract-recalled": _BY_ITS_DAYS,
    "contracts.approval-requested": _APPROVED,
    "contracts.approval-given": _APPROVED,
    "contracts.approval-delegated": _APPROVED,
    "contracts.approval-delegation-taken-back": _APPROVED,
    "contracts.approval-escalated": _APPROVED,
    "contracts.approval-granted": _APPROVED,
    "contracts.approval-returned": _APPROVED,
    "contracts.approval-recalled": _APPROVED,
    "contracts.contract-voided": "a contract that came to nothing is left out",
    "contracts.contract-flagged": "nobody has to look any more at what is past",
    "receivables.plan-drawn-up": "the payment plan of an imported contract is drawn up here, once it is in force",
    "receivables.instalment-invoiced": "invoices of history belong to no plan; what they ask for is taken off it",
    "receivables.invoice-overdue": "it follows from the due day and the company's today",
    "receivables.invoice-number-taken": "an invoice of history has the number that it had, and takes none",
    "receivables.receipt-allocated": _ALLOCATED,
    "receivables.allocation-reversed": _ALLOCATED,
    "receivables.receipt-held": _ALLOCATED,
    "receivables.receipt-released": _ALLOCATED,
    "receivables.history-arranged": _ALLOCATED,
    "forecast.notice-raised": _NO_NEWS,
    "forecast.notice-read": _NO_NEWS,
    "forecast.notice-acknowledged": _NO_NEWS,
    "forecast.notice-settled": _NO_NEWS,
    "forecast.notice-renamed": _NO_NEWS,
    "forecast.notice-address-stated": _NO_NEWS,
    "forecast.notice-address-confirmation-asked": _NO_NEWS,
    "forecast.notice-address-confirmed": _NO_NEWS,
    "forecast.notice-address-removed": _NO_NEWS,
    "forecast.webhook-endpoint-registered": _NO_NEWS,
    "forecast.webhook-secret-rotated": _NO_NEWS,
    "forecast.webhook-endpoint-paused": _NO_NEWS,
    "forecast.webhook-endpoint-resumed": _NO_NEWS,
    "forecast.webhook-endpoint-removed": _NO_NEWS,
    "forecast.notices-muted": _NO_NEWS,
    "forecast.notices-unmuted": _NO_NEWS,
    "forecast.occasion-arose": _NO_NEWS,
    "forecast.occasion-passed": _NO_NEWS,
    "forecast.review-opened": _REVIEWED,
    "forecast.health-report-sealed": _REVIEWED,
    "forecast.review-missed": _REVIEWED,
    "forecast.review-held": _REVIEWED,
    "forecast.measure-taken": _REVIEWED,
    "forecast.measure-changed": _REVIEWED,
    "forecast.measure-overdue": _REVIEWED,
    "forecast.measure-done": _REVIEWED,
    "forecast.measure-dropped": _REVIEWED,
}
"""The events that no kind of fact tells → why; those that take facts back apart, which an undone import records."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the fields of a line become those of the command of its kind."""

    references: Mapping[str, tuple[str, str]]
    """Fields of the line that name something else by its outside id → the command's field, and what they name."""
    own: str | None
    """The command's field that takes the id of the part which the fact is about."""
    place: str | None
    """The field of the line that names the aggregate in which the part is."""
    derived: frozenset[str]
    """The command's fields that no line says itself."""


@cache
def layout_of(kind: FactKind) -> Layout:
    """The layout of the lines of a kind: what a field names is told by its type, and it is called like that field
    without `_id`. An id of what no import tells is an id of here."""
    told = {*THINGS, *(each.about for each in KINDS.values())}
    references, own = dict[str, tuple[str, str]](), None
    for path, mark in ids_of(kind.command):
        if len(path) > 1 or mark is None or mark.thing is None:
            continue
        if mark.thing == kind.about and kind.is_part:
            own = path[0]
        elif mark.thing in told or isinstance(mark, Free):
            references[path[0].removesuffix("_id")] = path[0], mark.thing
    has_outside = OUTSIDE_ID in typing.get_type_hints(kind.command)
    renamed = {field for said, (field, _) in references.items() if said != field}
    return Layout(
        references=references,
        own=own,
        place=kind.aggregate if kind.is_part and kind.stream is None else None,
        derived=frozenset(renamed | ({own} if own else set()) | ({OUTSIDE_ID} if has_outside else set())),
    )


def id_of(ids: Ids, thing: str, outside: str) -> UUID:
    """The id of something that is named by its outside id."""
    kind = THINGS.get(thing)
    return kind.identify(ids, outside) if kind and kind.identify else ids(thing, outside)
