"""How is anything counted so that no answer sums over events or members? Summary tables, maintained incrementally.

Machinery of the read models, and knows no subject: signed changes (`sums`), rows at three grains (`grains`), the tables
that they are posted to (`tallies`); what enters and comes to its goal: the read model (`cohorts`) and its query
(`windows`); and cases at the stages of processes, from when to when they count: the read model (`marks`) and its
queries (`cases`).
"""
