"""How much of what was wanted in a period is reached, what would it take, and what could be wanted next (PROC-4)?

It has no read model of its own: `queries` measures by the queries of the others, `rules` says what is measured how.
"""
