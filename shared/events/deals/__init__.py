"""What happens to processes, products, targets, exchange rates and deals. Owner: the deals service."""
