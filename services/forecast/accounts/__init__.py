"""What happened with an account, in all of its leads, deals, contracts, invoices and receipts?"""
