"""Read models: folds over a log, built beside one another, and the reactions that follow from it."""
