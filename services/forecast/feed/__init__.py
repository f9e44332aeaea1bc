"""What happened last, to what, and whose is it (API-3, FC-15)?"""
