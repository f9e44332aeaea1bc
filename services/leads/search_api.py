"""The route of the search for accounts, contacts and leads, by words with slips of the pen (ACCT-1, DATA-4)."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from services.leads.projections.accounts import ACCOUNT, ACCOUNT_PROJECTION, ACCOUNTS, CONTACT, CONTACTS
from services.leads.projections.leads import LEAD, LEAD_PROJECTION, LEADS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.roles import READING
from shared.events.definition import Exact
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.projections.search.finding import Searched, asked_words, find

router = handwritten("account-search")

SEARCHED = (
    Searched(kind="account", listing=ACCOUNTS, table=ACCOUNT, called="name", detail="domain"),
    Searched(kind="contact", listing=CONTACTS, table=CONTACT, called="name", detail="email"),
    Searched(kind="lead", listing=LEADS, table=LEAD, called="person_name", detail="company_name"),
)

Words = Annotated[
    str,
    Query(
        description="What is looked for: 1 to 10 words, in any order, of 200 characters together. Case, marks on"
        " letters and punctuation do not count."
    ),
]


@answer_shape
class AccountSearchHit:
    """An account, a contact or a lead that has all the words."""

    kind: Literal["account", "contact", "lead"]
    id: UUID
    name: str
    """What it is called; of a contact or lead the name of the person, empty once they are erased."""
    detail: str | None
    """The account's domain, the contact's e-mail address, or the company that the lead states."""
    found_by: Literal["name", "domain", "email", "person_name", "company_name"]
    """The text in which most of what was looked for stands."""
    score: Exact
    """From 1, every word as it was written, down to 0: the mean of the words, less where one only begins like what was
    looked for, or has a slip in it."""


@answer_shape
class AccountSearch:
    """What was found, the nearest first, of equally near ones the newest."""

    items: list[AccountSearchHit]
    """At most 20."""
    truncated: bool
    """Whether more than 400 of a kind have the words, of which only some were looked at: further words, or more of
    them, find what is missing."""


@router.get(
    "/v1/account-search",
    **operation(
        roles=READING, reads=(ACCOUNT_PROJECTION.name, LEAD_PROJECTION.name, ORGANISATION), answers=AccountSearch
    ),
    name="search_accounts",
)
async def search_accounts(asking: CurrentActor, service: CurrentService, q: Words) -> Response:
    """Find accounts, contacts and leads by words, also by beginnings of words and with a slip of the pen in each.

    An account is found by its name and domain, a contact by name and e-mail address, a lead by these and its company.
    Only what whoever asks may see is found, and of people who were erased nothing.
    """
    found = await find(service.projections, SEARCHED, asking, asked_words(q))
    return answer({"items": found.hits, "truncated": found.truncated})
