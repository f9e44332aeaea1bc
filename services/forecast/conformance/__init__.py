"""How is a process followed: first attempts, waivers, skips, returns, wins, flexible nodes, exits (DEAL-2, DEAL-4)?"""
