"""What content was used for on deals, and what became of these?"""
