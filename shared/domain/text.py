"""Texts that people write: one of nothing but white space says nothing, and is refused (API-1)."""

from typing import Annotated

from annotated_types import MaxLen, MinLen
from pydantic import Field

NOT_BLANK = Field(pattern=r"\S")
"""Some character is other than white space. No other field of a command has a pattern."""

Name = Annotated[str, MinLen(1), MaxLen(200), NOT_BLANK]
"""The name of a person, a company, a deal, a product, a team, or another short text of the same kind."""
