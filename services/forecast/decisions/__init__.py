"""What waits for whose decision, since when, until when, and what came of it (CON-2)?"""
