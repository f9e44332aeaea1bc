"""What the receivables service consists of."""

from services.receivables import api
from services.receivables.domain.invoicing import ContractPlan, ToldBefore
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.by_hand import Elsewhere
from services.receivables.domain.ledger.receipts import ReferenceHolder
from services.receivables.domain.ledger.state import OpenLedger
from services.receivables.domain.numbers import NextNumber, NumberHolder, number_series
from services.receivables.domain.plan import payment_plan
from services.receivables.projections.book_lists import ALLOCATIONS, BALANCES, INVOICES, RECEIPTS
from services.receivables.projections.books import BOOKS_PROJECTION
from services.receivables.projections.lookups import (
    books_of_plan,
    elsewhere,
    holder_of_number,
    holder_of_reference,
    number_in_series,
    plan_of_contract,
    told_before,
)
from services.receivables.projections.plans import INSTALMENTS, PLAN_PROJECTION, PLANS
from services.receivables.reactions import reactions
from services.receivables.resources import RESOURCES
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.references import ACCOUNTS, PEOPLE
from shared.service.definition import Service

SERVICE = Service(
    "receivables",
    description="Receivables: payment plans, invoices, receipts, and which money settles what.",
    tags={
        "payment-plans": "When which part of a contract falls due.",
        "instalments": "The parts of payment plans.",
        "invoices": "What was billed, and what of it is open.",
        "receipts": "Money that arrived, and what of it settles nothing yet.",
        "allocations": "Which money settles which invoice, and why.",
        "balances": "What each customer owes, and what we owe them.",
        "ledgers": "A customer's account in one currency: invoices, receipts, and how they settle each other.",
        "number-series": "The invoice numbers of a legal entity, without gaps.",
    },
    aggregates=(payment_plan, ledger, number_series),
    resources=RESOURCES,
    reactions=reactions,
    projections=(PLAN_PROJECTION, BOOKS_PROJECTION, KNOWN_ACCOUNTS),
    listings=(PLANS, INSTALMENTS, INVOICES, RECEIPTS, ALLOCATIONS, BALANCES),
    routes=(api.router,),
    knows=(*PEOPLE, ACCOUNTS),
    provides={
        NextNumber: number_in_series,
        OpenLedger: books_of_plan,
        ContractPlan: plan_of_contract,
        NumberHolder: holder_of_number,
        ToldBefore: told_before,
        Elsewhere: elsewhere,
        ReferenceHolder: holder_of_reference,
    },
)
