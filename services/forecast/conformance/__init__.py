"""How is a process followed: first attempts, waivers, skips, returns, flexible nodes and exits (DEAL-2, DEAL-4)?"""
