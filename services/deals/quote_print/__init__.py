"""A quote as the customer is handed it: what stands on it, as a page and as a file to print (DEAL-8)."""
