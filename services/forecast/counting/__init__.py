"""How is anything counted so that no answer sums over events or members? Summary tables, maintained incrementally.

Machinery of the read models, and knows no subject: signed changes (`sums`), rows at three grains (`grains`), the tables
that they are posted to (`tallies`); and what enters and comes to its goal: the read model (`cohorts`) and its query
(`windows`).
"""
