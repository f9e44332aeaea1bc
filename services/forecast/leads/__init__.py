"""How many of the leads that were captured became deals (FC-7, lead conversion)?"""
