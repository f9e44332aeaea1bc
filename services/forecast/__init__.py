"""Every fact, journaled, and what it says about funnel, forecast and health, for any past instant."""
