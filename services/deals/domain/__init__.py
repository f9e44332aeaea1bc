"""The rules of deals and of what they rest on; pure."""
