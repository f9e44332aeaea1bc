"""The read model of how deals follow their processes: every case that counts, whose it was, and sums of them by day."""

from services.forecast.conformance.conduct import FACTS, Conduct, follow, marks, whose
from services.forecast.counting.lives import Lives
from services.forecast.counting.marks import Marked, projection_of

CONDUCT = Marked(
    projection="conformance",
    version=3,
    lives=Lives(aggregate="deal", events=FACTS, state=Conduct, follow=follow, whose=whose),
    marks=marks,
)

PROJECTION = projection_of(CONDUCT)
