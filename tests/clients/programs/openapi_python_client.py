"""The client of openapi-python-client: every documented body is one of its models, and it reads a deal."""

import json
import sys
from pathlib import Path
from uuid import uuid4

from throughline_client import AuthenticatedClient, models  # type: ignore[import-not-found]
from throughline_client.api.deals import (  # type: ignore[import-not-found]
    get_deal,
    list_deals,
    lose_deal,
    open_deal,
)
from throughline_client.api.funnel import funnel_deals  # type: ignore[import-not-found]

ORIGIN, TOKEN, EXAMPLES = sys.argv[1:]

client = AuthenticatedClient(base_url=ORIGIN, token=TOKEN)
for name, example in json.loads(Path(EXAMPLES).read_text(encoding="utf-8")).items():
    assert getattr(models, name).from_dict(example).to_dict() == example, name

made = models.OpenNewDeal(name="Robot cell", amount=models.Money(amount="796500.00", currency="EUR"))
opened = open_deal.sync(client=client, body=made, idempotency_key=str(uuid4()))
assert isinstance(opened, models.Changed), opened
deal = get_deal.sync(opened.id, client=client)
assert isinstance(deal, models.OpenDeal), deal
assert (deal.name, deal.amount.amount) == ("Robot cell", "796500.00")

reason = models.LoseDeal.from_dict({"reason": "price"})
lose_deal.sync(opened.id, client=client, body=reason, idempotency_key=str(uuid4()))
lost = get_deal.sync(opened.id, client=client)
assert isinstance(lost, models.LostDeal), lost
assert lost.reason == "price"

assert isinstance(list_deals.sync(client=client), models.DealPage)
assert isinstance(funnel_deals.sync(client=client), models.DrilledDeals)
unknown = get_deal.sync(uuid4(), client=client)
assert isinstance(unknown, models.Problem), unknown
assert unknown.code == "not-found"
