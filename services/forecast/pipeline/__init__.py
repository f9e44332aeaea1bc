"""Which deals are open, what was closed, what will a period bring, and what changed in between (FC-1, FC-3, FC-4)?

Rules: `timeline` folds a deal, `figures` says what it adds where, `legs` why the pipeline changed, `dangers` why a deal
may not come in. `model` is the read model, `queries` what is asked of it, `routes` the answers over HTTP.
"""
