"""Batching delay of followers: at once while little happens, in larger steps while much does."""

from dataclasses import dataclass

REST_AN_EVENT = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The shortest and the longest rest between two pages, in seconds."""

    shortest: float
    longest: float

    def rest_after(self, events: int, limit: int) -> float:
        """Seconds until the next page after one of so many events, of at most `limit`.

        A step costs about the same for one event as for fifty. Many events say that more are coming, so the next step
        waits for them; whoever is behind (a full page) does not wait, and neither does what comes after a while without
        events.
        """
        if events == 0 or events >= limit:
            return 0.0
        return min(self.longest, max(self.shortest, events * REST_AN_EVENT))


RELAYING = Pace(shortest=0.04, longest=0.1)
"""For the relay, which sets the rhythm of all who follow: each page costs each of them a fetch of every partition."""

PROMPT = Pace(shortest=0.01, longest=0.1)
"""For what somebody watches live."""

RELAXED = Pace(shortest=0.1, longest=0.1)
"""For what somebody asks for now and then, with a token when it has to be there: lists, look-ups, reactions."""

UNHURRIED = Pace(shortest=1.0, longest=1.0)
"""For what nobody waits for: one step a second, whatever comes."""
