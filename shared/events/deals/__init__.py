"""What happens to processes, products, targets and deals. Owner: the deals service."""
