"""Two small aggregates for the tests of the store: tickets with a person, a claim and a timer; and a counter that hands
out numbers to tickets, so that one command touches two streams."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from shared.commands.loaders import LoaderContext
from shared.domain.aggregate import Aggregate, Claim, Occurrence, Timer
from shared.domain.context import Actor, Context
from shared.domain.rejection import Rejected
from shared.domain.roles import EVERYBODY, READING, SELLING, Role
from shared.events.codec import Codec
from shared.events.definition import Personal, event, value
from shared.events.follow_ups import follow_up_events
from shared.events.registry import Registry

COUNTER = UUID(int=1)
SERVICE_ACTOR = Actor(subject="tickets", roles=frozenset({Role.SERVICE}))


@event("tickets.ticket-opened", aggregate="ticket", person="ticket_id")
class TicketOpened:
    """Somebody asked something."""

    ticket_id: UUID
    owner: UUID | None = None
    due: date | None = None
    email: Personal[str] = None


@event("tickets.duplicate-found", aggregate="ticket")
class DuplicateFound:
    """The same person has an open ticket."""

    ticket_id: UUID
    original_id: UUID


@event("tickets.note-added", aggregate="ticket", person="ticket_id")
class NoteAdded:
    """Somebody wrote something down."""

    ticket_id: UUID
    note: Personal[str] = None


@event("tickets.ticket-reminded", aggregate="ticket")
class TicketReminded:
    """It was due."""

    ticket_id: UUID


@event("tickets.ticket-postponed", aggregate="ticket")
class TicketPostponed:
    """It is due later."""

    ticket_id: UUID
    due: date


@event("tickets.ticket-closed", aggregate="ticket")
class TicketClosed:
    """It is done."""

    ticket_id: UUID
    number: int | None = None


@event("tickets.refund-refused", aggregate="ticket")
class RefundRefused:
    """Money was asked back, and a rule said no."""

    ticket_id: UUID


@event("tickets.money-refunded", aggregate="ticket")
class MoneyRefunded:
    """Money was given back."""

    ticket_id: UUID


@event("tickets.person-erased", aggregate="ticket", erases="ticket_id")
class PersonErased:
    """The personal data are gone."""

    ticket_id: UUID


@event("tickets.number-taken", aggregate="counter")
class NumberTaken:
    """The counter gave a number away."""

    number: int
    ticket_id: UUID


CODEC = Codec(
    Registry(
        [
            TicketOpened,
            DuplicateFound,
            NoteAdded,
            TicketReminded,
            TicketPostponed,
            TicketClosed,
            RefundRefused,
            MoneyRefunded,
            PersonErased,
            NumberTaken,
            *follow_up_events("tickets").every,
        ]
    )
)


@value
class OpenTicket:
    """Open a ticket."""

    email: str
    owner: UUID | None = None
    due: date | None = None
    insist: bool = False
    """Claim the address without looking who has it."""


@value
class AddNote:
    """Write something down."""

    note: str


@value
class CloseTicket:
    """Close it, with the next number of the counter when asked."""

    numbered: bool = False


@value
class Refund:
    """Give the money back, for which there has to be a note. That it was refused is a fact, once."""


@value
class Remind:
    """Remind of it (a timer does)."""


@value
class Postpone:
    """Have it due later."""

    due: date


@value
class Erase:
    """Erase the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTicket:
    """There is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTicket:
    """It waits."""

    id: UUID
    owner: UUID | None
    due: date | None
    email: str | None
    notes: tuple[str | None, ...] = ()
    duplicate_of: UUID | None = None
    refund_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTicket:
    """It is done."""

    id: UUID
    owner: UUID | None
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How many numbers were given away."""

    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a handler needs to know of the counter."""

    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SamePerson:
    """Who has a ticket with the same address."""

    holder: UUID | None


ticket = Aggregate("ticket", plural="tickets", start=NoTicket, readers=READING)
counter = Aggregate("counter", plural="counters", start=Counter, readers=EVERYBODY)
counter.snapshots(version=1)


@ticket.decides(allow=SELLING)
def open_ticket(state: NoTicket, command: OpenTicket, context: Context, same: SamePerson) -> list[object]:
    """Open a ticket."""
    opened = TicketOpened(ticket_id=context.aggregate_id, owner=command.owner, due=command.due, email=command.email)
    if same.holder is not None and not command.insist:
        return [opened, DuplicateFound(ticket_id=context.aggregate_id, original_id=same.holder)]
    return [opened]


@ticket.decides(allow=SELLING)
def add_note(state: OpenedTicket, command: AddNote) -> list[NoteAdded]:
    """Add a note."""
    if len(state.notes) >= 1000:
        raise Rejected("full", "There is no room for another note.")
    return [NoteAdded(ticket_id=state.id, note=command.note)]


@ticket.decides(allow=SELLING)
def close_ticket(state: OpenedTicket, command: CloseTicket, numbers: Numbers) -> list[object]:
    """Close a ticket."""
    if not command.numbered:
        return [TicketClosed(ticket_id=state.id)]
    taken = NumberTaken(number=numbers.next, ticket_id=state.id)
    return [TicketClosed(ticket_id=state.id, number=numbers.next), Occurrence(event=taken, to=COUNTER)]


@ticket.decides(allow=SELLING)
def refund(state: OpenedTicket, command: Refund) -> list[MoneyRefunded]:
    """Give the money back."""
    if not state.notes:
        fact = RefundRefused(ticket_id=state.id)
        raise Rejected("no-note", "Nobody noted why.", on_record=() if state.refund_refused else (fact,))
    return [MoneyRefunded(ticket_id=state.id)]


@ticket.decides(allow=SELLING)
def remind(state: OpenedTicket, command: Remind) -> list[TicketReminded]:
    """Remind of a ticket."""
    return [TicketReminded(ticket_id=state.id)]


@ticket.decides(allow=SELLING)
def postpone(state: OpenedTicket, command: Postpone) -> list[TicketPostponed]:
    """Postpone a ticket."""
    return [TicketPostponed(ticket_id=state.id, due=command.due)]


@ticket.decides(allow=SELLING)
def erase(state: OpenedTicket | ClosedTicket, command: Erase) -> list[PersonErased]:
    """Erase a person."""
    return [PersonErased(ticket_id=state.id)]


@ticket.already
def already_closed(state: ClosedTicket, command: CloseTicket) -> bool:
    return True


@ticket.evolves
def opened(state: NoTicket, event: TicketOpened) -> OpenedTicket:
    return OpenedTicket(id=event.ticket_id, owner=event.owner, due=event.due, email=event.email)


@ticket.evolves
def duplicated(state: OpenedTicket, event: DuplicateFound) -> OpenedTicket:
    return replace(state, duplicate_of=event.original_id)


@ticket.evolves
def noted(state: OpenedTicket, event: NoteAdded) -> OpenedTicket:
    return replace(state, notes=(*state.notes, event.note))


@ticket.evolves
def reminded(state: OpenedTicket, event: TicketReminded) -> OpenedTicket:
    return replace(state, due=None)


@ticket.evolves
def refund_refused(state: OpenedTicket, event: RefundRefused) -> OpenedTicket:
    return replace(state, refund_refused=True)


@ticket.evolves
def refunded(state: OpenedTicket, event: MoneyRefunded) -> OpenedTicket:
    return state


@ticket.evolves
def postponed(state: OpenedTicket, event: TicketPostponed) -> OpenedTicket:
    return replace(state, due=event.due)


@ticket.evolves
def closed(state: OpenedTicket, event: TicketClosed) -> ClosedTicket:
    return ClosedTicket(id=state.id, owner=state.owner, number=event.number)


@ticket.evolves
def erased(state: OpenedTicket, event: PersonErased) -> OpenedTicket:
    return replace(state, email=None, notes=())


@ticket.evolves
def erased_later(state: ClosedTicket, event: PersonErased) -> ClosedTicket:
    return state


@counter.evolves
def counted(state: Counter, event: NumberTaken) -> Counter:
    return replace(state, count=event.number)


@ticket.claims
def addresses(state: OpenedTicket) -> list[Claim]:
    return [Claim(kind="email", key=state.email)] if state.email and state.duplicate_of is None else []


@ticket.timer
def reminder(state: OpenedTicket) -> Timer | None:
    return None if state.due is None else Timer(due=start_of(state.due), command=Remind())


def start_of(day: date) -> datetime:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def numbers(reader: LoaderContext, state: object, command: object, context: Context) -> Numbers:
    found, _ = await reader.state(counter, COUNTER)
    return Numbers(next=found.count + 1)


async def same_person(reader: LoaderContext, state: object, command: OpenTicket, context: Context) -> SamePerson:
    return SamePerson(holder=await reader.claim_holder("email", command.email))


PROVIDES = {Numbers: numbers, SamePerson: same_person}
