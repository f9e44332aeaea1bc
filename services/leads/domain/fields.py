"""The kinds of fields that leads and accounts share."""

from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

from shared.domain.fields import NOT_BLANK

Word = Annotated[str, Len(1, 80), NOT_BLANK]
Email = Annotated[str, Len(3, 254)]
Phone = Annotated[str, Len(3, 40)]
Domain = Annotated[str, Len(3, 260)]
Country = Annotated[str, Len(2, 2)]
"""ISO 3166-1, two letters."""
Headcount = Annotated[int, Ge(1), Le(10_000_000)]
ActivityKind = Literal["call", "email", "visit", "meeting", "demo"]
"""What is done with a lead, and planned with an account."""
