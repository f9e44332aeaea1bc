"""The rules of contracts that people set (policies)."""

from collections.abc import Iterator, Mapping

from services.contracts.domain.contract.terms import STANDARD_TERMS, term_faults
from shared.domain.approval.chain import four_eyes_faults
from shared.domain.policy import Policy, policies
from shared.domain.rejection import Reason
from shared.domain.roles import Reach, Role, permission
from shared.events.approval_chain import ApprovalChain, ApprovalStep, Approver
from shared.events.contracts.policy import ContractChain, ContractPolicySet, StandardTerms
from shared.events.criteria import Predicate

SETTING_TERMS = permission({Role.FINANCE: Reach.ALL, Role.LEGAL: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL})
SETTING_APPROVAL = permission({Role.EXECUTIVE: Reach.ALL, Role.LEGAL: Reach.ALL})


def _terms_faults(document: StandardTerms) -> Iterator[Reason]:
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

FACTS: Mapping[str, str] = {
    "amount": "number",
    "currency": "text",
    "foreign_currency": "yes-no",
    "instalments": "number",
    "longest_days": "number",
    "standard_terms": "yes-no",
    "for_deal": "yes-no",
}
"""What conditions of the chain may ask of a contract, and its kind: the total in its own currency, whether that is
another than the company's, how many instalments there are and when the last one is due, whether the terms are the
standard ones, and whether it is the contract of a deal."""


def _chain_faults(document: ContractChain) -> Iterator[Reason]:
    return four_eyes_faults(document.chain, FACTS, "chain")


CONTRACT_APPROVAL = Policy(
    "contract-approval",
    ContractChain,
    default=ContractChain(
        chain=ApprovalChain(
            steps=(
                ApprovalStep(
                    key="direction-and-legal",
                    name="Sales direction and legal",
                    approvers=(Approver(role=Role.SALES_DIRECTOR), Approver(role=Role.LEGAL)),
                    within_days=2,
                    escalates_to=Approver(role=Role.EXECUTIVE),
                ),
                ApprovalStep(
                    key="executive",
                    name="Executive, above 1 000 000",
                    approvers=(Approver(role=Role.EXECUTIVE),),
                    when=Predicate(fact="amount", operator="above", value="1000000"),
                    within_days=2,
                ),
            ),
        )
    ),
    allow=SETTING_APPROVAL,
    faults=_chain_faults,
    example={
        "chain": {
            "steps": [
                {
                    "key": "legal",
                    "name": "Legal, where the terms are others",
                    "approvers": [{"role": "legal"}],
                    "when": {"fact": "standard_terms", "operator": "is", "value": False},
                    "within_days": 2,
                },
                {"key": "manager", "name": "The manager", "approvers": [{"superior": 1}], "within_days": 1},
            ],
            "empty_approver": "fallback",
            "fallback": {"role": "sales-director"},
        }
    },
)

POLICIES = policies("contract", ContractPolicySet, PAYMENT_TERMS, CONTRACT_APPROVAL)
