"""Lag meter: how far a step is behind, from looks at intervals."""

from collections import deque

MAX_SAMPLES = 600
"""Looks that are remembered while nothing is caught up; more only make the middle of the memory finer."""


class LagMeter:
    """How long the oldest thing that is not done has been waiting, to the precision of the looks.

    Real time between looks is measured instead of the age of events: those are stamped by the company clock, which may
    be moved.
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def seconds(self, now: float, *, head: int, done: int) -> float:
        """Take a look at `now` (monotonic): there are `head` things, of which the first `done` are done."""
        if not self._looks or head > self._looks[-1][1]:
            self._looks.append((now, head))
        while self._looks and self._looks[0][1] <= done:
            self._looks.popleft()
        if len(self._looks) > MAX_SAMPLES:
            del self._looks[1]
        return now - self._looks[0][0] if self._looks else 0.0
