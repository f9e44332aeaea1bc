"""How followers of a log keep pace with it: at once while little happens, in larger steps while much does."""

REST_AN_EVENT = 0.003
SHORTEST_REST = 0.02
LONGEST_REST = 0.1


def rest_after(events: int, limit: int) -> float:
    """Seconds until the next page after one of so many events, of at most `limit`.

    A step costs about the same for one event as for fifty. Many events say that more are coming, so the next step waits
    for them; whoever is behind (a full page) does not wait, and neither does what comes after a while without events.
    """
    if events == 0 or events >= limit:
        return 0.0
    return min(LONGEST_REST, max(SHORTEST_REST, events * REST_AN_EVENT))
