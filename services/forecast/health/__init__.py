"""How healthy is the sales process, now and one window earlier (FC-7)?

It has no read model of its own: `queries` measures by the queries of the others, `rules` judges.
"""
