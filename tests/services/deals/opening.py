"""Opening rules of the whole company, for as long as a test needs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.services.deals.conftest import Office

RULES = "/v1/deal-policies/opening-rules"


@asynccontextmanager
async def ruled(office: Office, document: dict[str, Any]) -> AsyncIterator[int]:
    """These rules count, and the default again afterwards; gives their version."""
    ops = office.somebody()
    await ops.makes(RULES, {"document": document})
    try:
        (version,) = (await ops.sees(RULES))["in_force"]
        number: int = version["number"]
        yield number
    finally:
        await ops.makes(RULES, {"document": None})
