"""Log followers, and what every one needs: events as they are stored, fenced checkpoints, dead letters."""
