"""Field types of commands: what every service takes for a name, a text or a day, and refuses with the field (API-1)."""

import re
from datetime import date
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import Field

NOT_BLANK = Field(pattern=r"[^\p{Z}\p{C}]", json_schema_extra={"pattern": r"\S"})
"""Some character shows (`text.shows`): a text of nothing but spaces, marks of direction or what has no width says
nothing. Schemas say it as far as every dialect of patterns can. No other field has a pattern."""

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
"""A language tag (BCP 47), as far as its form goes."""
Name = Annotated[str, MinLen(1), MaxLen(200), NOT_BLANK]
"""The name of a person, a company, a deal, a product, a team, or another short text of the same kind."""

Text = Annotated[str, MinLen(1), MaxLen(1000), NOT_BLANK]
"""A sentence or some: a reason, an outcome, a next step."""

LongText = Annotated[str, MinLen(1), MaxLen(4000), NOT_BLANK]
"""As much as somebody notes of a talk, or tells as evidence."""

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(8999, 12, 31)
"""Windows can be reckoned back from the first one, and terms on from the last one, inside the calendar."""

Day = Annotated[date, Ge(FIRST_DAY), Le(LAST_DAY)]
"""A day in a command. One outside is refused with its field."""

BuyingRole = Literal["economic-buyer", "champion", "influencer", "user", "blocker", "legal", "finance"]
"""The part that somebody has in deciding whether their company buys (ACCT-1)."""
