"""What the receivables service does about facts of other services."""

from collections.abc import Iterable

from services.receivables.domain.plan import DrawUpPlan, payment_plan, plan_of
from shared.events.contracts.contract import ContractActivated
from shared.events.envelope import Envelope
from shared.reactions.registry import Do, Reactions

reactions = Reactions("receivables")


@reactions.on(imported=True)
def draw_up_on_activation(event: ContractActivated, fact: Envelope[ContractActivated]) -> Iterable[Do]:
    """REC-1: a contract in force has a payment plan; of one of history what is left of it can be invoiced."""
    yield Do(
        aggregate=payment_plan,
        aggregate_id=plan_of(event.contract_id),
        command=DrawUpPlan(
            contract_id=event.contract_id,
            account_id=event.account_id,
            total=event.total,
            payment_terms=event.payment_terms,
            on=event.on,
            deal_id=event.deal_id,
            owner=event.owner,
            team=event.team,
        ),
    )
