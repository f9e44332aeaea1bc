"""Every fact, journaled, and what it says about funnel, forecast and health, for any past instant.

A package for each subject, with the same rooms in each. `model` is the read model: tables, and the fold that fills
them. `queries` turns SQL into rows and values, and is all that another subject may import. `routes` answers over HTTP.
Further modules are pure rules, named by what they compute. What the subjects share stands in `asking` and `counting`.

Beside them stands what the service owns itself, notices to people, in the rooms that every service has: `domain`,
`projections`, `reactions` and `resources`.
"""
