"""The rules of contracts that people set (policies)."""

from collections.abc import Iterator

from services.contracts.domain.contract.terms import STANDARD_TERMS, term_faults
from shared.domain.context import Company
from shared.domain.policy import Policy, policies
from shared.domain.rejection import Reason
from shared.domain.roles import Reach, Role, permission
from shared.events.contracts.policy import ContractPolicySet, StandardTerms

SETTING_TERMS = permission({Role.FINANCE: Reach.ALL, Role.LEGAL: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL})


def _terms_faults(document: StandardTerms, company: Company) -> Iterator[Reason]:
    return term_faults(document.payment_terms)


PAYMENT_TERMS = Policy(
    "payment-terms",
    StandardTerms,
    default=StandardTerms(payment_terms=STANDARD_TERMS),
    allow=SETTING_TERMS,
    faults=_terms_faults,
    example={
        "payment_terms": [
            {"ratio": "0.50", "days": 14, "label": "Advance"},
            {"ratio": "0.50", "days": 60, "label": "Delivery"},
        ]
    },
)

POLICIES = policies("contract", ContractPolicySet, PAYMENT_TERMS)
