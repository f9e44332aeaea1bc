"""What happens to contracts. Owner: the contracts service."""
