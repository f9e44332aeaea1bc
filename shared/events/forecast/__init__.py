"""What happens to notices, and why they are raised. Owner: the forecast service."""
