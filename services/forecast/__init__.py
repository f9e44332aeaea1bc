"""Every fact, journaled, and what it says about funnel, forecast and health, for any past instant.

Modules are of four kinds. Pure rules: `timeline`, `figures`, `tallies`, `periods`, `health_rules`. Read models, each
with its tables, its fold and its queries: `deals` (asked through `deal_figures`), `leads`, `nodes`, `cash`, `targets`,
`processes`, `feed`. What questions share: `question`, `parameters`, `paging`, `answers`, `drilling`. Answers over HTTP:
`funnel`, `outlook`, `changes`, `dangers`, `health`, `histories`, `feed`, `people`.
"""
