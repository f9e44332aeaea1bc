"""Tokens of the development issuer, for commands that speak with the services."""

from typing import Any

import httpx

from deploy.local.fault import LocalError
from deploy.local.stack import IDENTITY, Stack


async def issue(stack: Stack, **asked: str) -> dict[str, Any]:
    """What the issuer answers to a request for a token by `role` and `subject`. Raises LocalError."""
    if stack.environment.get("OIDC_ISSUER"):
        raise LocalError("This deployment has an issuer of its own (OIDC_ISSUER).", "Ask that one for a token.")
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.post(
                f"{stack.url(IDENTITY)}/identity/token",
                json=asked,
                headers={"Authorization": f"Bearer {stack.home.secret('stack')}"},
            )
    except httpx.HTTPError as error:
        raise LocalError(
            f"The development issuer does not answer ({type(error).__name__}).", "Start it with `throughline up`."
        ) from error
    if answer.is_error:
        raise LocalError(
            f"The issuer gives no token: {answer.json()['detail']}", "`throughline token --help` says what it takes."
        )
    issued: dict[str, Any] = answer.json()
    return issued
