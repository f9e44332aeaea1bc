"""What happens to payment plans, invoices and receipts. Owner: the receivables service."""
