"""The guide to webhooks shows code that verifies what is sent."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.deliveries.webhooks import headers_of, secret_of, shown

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md"
BODY = '{"who":"Ärger"}'.encode()


def verify(*arguments: Any) -> None:
    """The function that the guide shows."""
    (shown_there,) = (
        code for code in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "def " in code
    )
    names: dict[str, Any] = {}
    exec(shown_there, names)
    names["verify"](*arguments)


def test_what_the_guide_shows_verifies_a_call_while_secrets_are_exchanged_and_no_other() -> None:
    secrets = [secret_of(b"k" * 32, UUID(int=1), rotation) for rotation in (1, 0)]
    headers = headers_of("5f57f8b3", datetime.now(UTC), BODY, secrets)
    for secret in secrets:
        verify(shown(secret), headers, BODY)
    with pytest.raises(ValueError, match="not signed"):
        verify(shown(secrets[0]), headers, BODY + b" ")
    with pytest.raises(ValueError, match="not signed"):
        verify(shown(secret_of(b"k" * 32, UUID(int=2), 0)), headers, BODY)
    with pytest.raises(ValueError, match="too old"):
        verify(shown(secrets[0]), headers_of("5f57f8b3", datetime.now(UTC) - timedelta(hours=1), BODY, secrets), BODY)
