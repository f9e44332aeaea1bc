"""The answers about deals over HTTP: funnel, forecast, changes, the endangered, and the history of one of them.

`drilling` is no route, but what the routes of figures answer with when they are asked for the deals behind one.
"""
