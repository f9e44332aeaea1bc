"""Receivables: payment plans, invoices, receipts, and what is owed."""
