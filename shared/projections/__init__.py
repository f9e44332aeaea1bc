"""Projections: folds over a log, built beside one another, and the lists that are read from them."""
