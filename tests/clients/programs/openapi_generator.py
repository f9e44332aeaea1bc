"""The Python client of openapi-generator: every documented body is one of its models, and it reads a deal."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import throughline_openapi as generated  # type: ignore[import-not-found]

ORIGIN, TOKEN, EXAMPLES = sys.argv[1:]

configuration = generated.Configuration(host=ORIGIN, access_token=TOKEN)
for name, example in json.loads(Path(EXAMPLES).read_text(encoding="utf-8")).items():
    # What has no fields is any object for this generator.
    assert not example or getattr(generated, name).from_dict(example) is not None, name

with generated.ApiClient(configuration) as client:
    deals = generated.DealsApi(client)
    made = generated.OpenNewDeal(name="Robot cell", amount=generated.Money(amount="796500.00", currency="EUR"))
    opened = deals.open_deal(idempotency_key=str(uuid4()), open_new_deal=made)
    deal = deals.get_deal(opened.id).actual_instance
    assert isinstance(deal, generated.OpenDeal), deal
    assert (deal.name, deal.amount.amount) == ("Robot cell", "796500.00")

    deals.lose_deal(opened.id, idempotency_key=str(uuid4()), lose_deal=generated.LoseDeal(reason="price"))
    lost = deals.get_deal(opened.id).actual_instance
    assert isinstance(lost, generated.LostDeal), lost
    assert lost.reason == "price"

    assert all(row.status == "lost" for row in deals.list_deals(status=["lost"]).items)
    try:
        code = deals.get_deal(uuid4()).actual_instance.status
    except generated.exceptions.NotFoundException as refused:
        code = refused.data.code
    assert code == "not-found", code
