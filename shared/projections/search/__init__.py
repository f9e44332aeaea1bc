"""Search by words with slips of the pen: how a text is found by them, and how near what was found is."""
