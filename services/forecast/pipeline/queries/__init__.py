"""Queries to the read model of deals: statements, and their rows as values.

`totals` are the maintained figures, for now and for any past instant; `known` folds what was known then. The others
stand behind the route of the same name.
"""
