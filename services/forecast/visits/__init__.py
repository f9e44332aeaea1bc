"""How many visits were held (PROC-4)?"""
