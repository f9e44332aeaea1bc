"""What happens in the organisation, to leads and to accounts. Owner: the leads service."""
